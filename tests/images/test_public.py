"""Public data sets, from a local server that holds tiny ones: fetched whole, refused with a sentence, never half."""

import hashlib
import io
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from nets import random_images

import coursekit as ck
from coursekit.files import cache_folder


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A web server with an empty folder, and an empty cache."""
    folder = tmp_path / "server"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder))
    server.folder, server.url = folder, f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    yield server
    server.shutdown()
    server.server_close()


def archive(server, name, folders, lists=()):
    """Put a .tgz on the server with twelve pictures in each folder; return its address and its MD5."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for folder in folders:
            for i, image in enumerate(random_images(12, 16)):
                path = server.folder / f"{i}.png"
                ck.save_image(image[None], path)
                tar.add(path, f"{folder}/{folder.split('/')[-1]}_{i:02d}.jpeg")
        for path, text in lists:
            info = tarfile.TarInfo(path)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    (server.folder / name).write_bytes(content.getvalue())
    return server.url + name, hashlib.md5(content.getvalue()).hexdigest()


def published_dtd(server, monkeypatch, damage=""):
    from torchvision.datasets import DTD

    rows = [("dtd/labels/train1.txt", "striped/striped_00.jpeg\n")]
    url, md5 = archive(server, "dtd.tar.gz", ["dtd/images/striped", "dtd/images/dotted"], rows)
    monkeypatch.setattr(DTD, "_URL", url)
    monkeypatch.setattr(DTD, "_MD5", damage or md5)


def left_over():
    return [path.name for path in (cache_folder().parent / "datasets").iterdir()]


def test_textures_come_once_and_open_as_a_concept(server, monkeypatch):
    published_dtd(server, monkeypatch)
    folder = ck.public_folder("dtd", "striped")
    assert ck.concept_folder(folder, size=16).shape == (12, 3, 16, 16)
    assert left_over() == ["dtd"] and not list(folder.parents[1].rglob("*gz"))
    server.shutdown()  # the second time no server is asked
    assert ck.public_folder("dtd", "dotted").name == "dotted"
    with pytest.raises(ck.OptionError, match=r"dtd has no class 'zebra'; it has dotted, striped"):
        ck.public_folder("dtd", "zebra")


def test_imagenettes_classes_have_names(server, monkeypatch):
    from torchvision.datasets import Imagenette

    wnids = ["imagenette2-160/val/n03028079", "imagenette2-160/val/n01440764"]
    monkeypatch.setattr(Imagenette, "_ARCHIVES", {"160px": archive(server, "imagenette2-160.tgz", wnids)})
    assert ck.public_folder("imagenette", "church").name == "n03028079"
    with pytest.raises(ck.OptionError, match="it has tench, church"):
        ck.public_folder("imagenette", "cat")


def test_a_wrong_archive_is_refused_and_leaves_nothing(server, monkeypatch):
    published_dtd(server, monkeypatch, damage="0" * 32)
    with pytest.raises(ck.DataUnavailable, match=r"'dtd' \(600 MB\) could not be fetched: .*unpack it by hand"):
        ck.public_folder("dtd", "striped")
    assert left_over() == []


def test_without_a_network_there_is_a_sentence(server, monkeypatch):
    published_dtd(server, monkeypatch)
    server.shutdown()
    server.server_close()
    with pytest.raises(ck.DataUnavailable, match="Try again with a network"):
        ck.public_folder("dtd", "striped")
    assert left_over() == []
    with pytest.raises(ck.OptionError, match="dataset is one of dtd, imagenette, but is 'cifar'"):
        ck.public_folder("cifar", "cat")


@pytest.mark.parametrize("inside", [None, "dtd", "dtd/images"])
def test_a_folder_that_is_half_unpacked_is_told(monkeypatch, tmp_path, inside):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    root = cache_folder().parent / "datasets" / "dtd"
    (root / (inside or ".")).mkdir(parents=True)
    with pytest.raises(ck.DataUnavailable, match=r"'dtd' in .* is incomplete or cannot be read .*delete that folder"):
        ck.public_folder("dtd", "striped")
    (cache_folder().parent / "datasets" / "imagenette2-160" / "val").mkdir(parents=True)
    with pytest.raises(ck.DataUnavailable, match=r"'imagenette' in .* is incomplete"):
        ck.public_folder("imagenette", "church")


@pytest.mark.parametrize("name", ["../../evil", "dtd/../../evil", "/tmp/coursekit_evil"])
def test_an_archive_cannot_write_outside_of_its_folder(server, monkeypatch, name):
    """Not even one with the published MD5, which can be forged; nor one with a link."""
    from torchvision.datasets import DTD

    url, md5 = archive(server, "dtd.tar.gz", ["dtd/images/striped"], [(name, "evil")])
    monkeypatch.setattr(DTD, "_URL", url)
    monkeypatch.setattr(DTD, "_MD5", md5)
    with pytest.raises(ck.DataUnavailable, match="could not be fetched"):
        ck.public_folder("dtd", "striped")
    assert left_over() == [] and not list(cache_folder().parents[1].rglob("*evil*"))
    assert tarfile.TarFile.extraction_filter is None, "the way in which others unpack is as it was"
