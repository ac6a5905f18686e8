function render({ model, el }) {
  const button = Object.assign(document.createElement("button"), { textContent: "camera: start" });
  button.className = "jupyter-button widget-button coursekit-camera";
  const note = document.createElement("span");
  el.append(button, note);
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const canvas = document.createElement("canvas");
  let stream = null;

  function stop(text) {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    button.textContent = "camera: start";
    note.textContent = text || "";
  }
  function send() {
    if (!stream) return;
    const side = Math.min(video.videoWidth, video.videoHeight);
    if (!side) return setTimeout(send, 100);
    canvas.width = canvas.height = 256;
    const left = (video.videoWidth - side) / 2, top = (video.videoHeight - side) / 2;
    canvas.getContext("2d").drawImage(video, left, top, side, side, 0, 0, 256, 256);
    canvas.toBlob(async (blob) => {
      model.set("value", new DataView(await blob.arrayBuffer()));
      model.save_changes();
    }, "image/jpeg", 0.8);
  }
  model.on("change:seen", () => setTimeout(send, 100));
  button.onclick = async () => {
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: true });
      video.srcObject = stream;
      await video.play();
      button.textContent = "camera: stop";
      note.textContent = "";
      send();
    } catch (error) {
      stop(" No camera here (" + (error.name || error) + "): upload a picture instead.");
    }
  };
  return () => stop();
}
export default { render };
