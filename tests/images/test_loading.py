"""Every kind of picture becomes a float32 RGB tensor (1, 3, H, W) in [0, 1], or a sentence that names the file."""

import io
import re
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from types import SimpleNamespace

import fuzz
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from torch import Tensor

import coursekit as ck
from coursekit.arguments import check_images

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def picture(height: int = 6, width: int = 9, seed: int = 0) -> np.ndarray:
    """A small random picture (H, W, 3), uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def as_tensor(array: np.ndarray) -> Tensor:
    """What `load_image` should make of a uint8 RGB array."""
    return torch.from_numpy(array.astype(np.float32) / 255).permute(2, 0, 1)[None]


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixel(image: Tensor, row: int = 0, column: int = 0) -> list[float]:
    return image[0, :, row, column].tolist()


# Sources ----------------------------------------------------------------------------------------------------------


def test_every_packaged_photograph_opens():
    for name in ck.photographs():
        image = ck.load_image(name)
        assert image.dtype == torch.float32 and image.shape[:2] == (1, 3), name
        assert image.min() >= 0 and image.max() <= 1 and image.std() > 0.01, name


def test_every_kind_of_source_gives_the_same_tensor(tmp_path):
    array = picture()
    png = encoded(Image.fromarray(array), "PNG")
    path = tmp_path / "my picture.png"
    path.write_bytes(png)
    upload = ({"name": "my picture.png", "type": "image/png", "size": len(png), "content": memoryview(png)},)
    sources = {
        "path": path,
        "text path": str(path),
        "bytes": png,
        "bytearray": bytearray(png),
        "memoryview": memoryview(png),
        "value of an upload": upload,
        "one file of an upload": upload[0],
        "upload widget": SimpleNamespace(value=upload),
        "PIL": Image.fromarray(array),
        "array": array,
        "channels first": array.transpose(2, 0, 1),
        "tensor": as_tensor(array)[0],
        "batch of one": as_tensor(array),
    }
    for kind, source in sources.items():
        image = ck.load_image(source)
        assert image.dtype == torch.float32 and image.is_contiguous(), kind
        assert torch.equal(image, as_tensor(array)), kind


def test_real_upload_widget():
    from ipywidgets import FileUpload

    png = encoded(Image.fromarray(picture()), "PNG")
    widget = FileUpload(accept="image/*")
    # What the browser sends: ipywidgets 8 turns it into a tuple of dictionaries with a memoryview as content.
    sent = [{"name": "a.png", "type": "image/png", "size": len(png), "last_modified": 0, "content": memoryview(png)}]
    widget.set_state({"value": sent})
    assert isinstance(widget.value[0]["content"], memoryview)
    assert torch.equal(ck.load_image(widget), as_tensor(picture()))


def test_home_directory_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    Image.fromarray(picture()).save(tmp_path / "mine.png")
    assert torch.equal(ck.load_image("~/mine.png"), as_tensor(picture()))


def test_the_source_is_not_changed_and_not_shared():
    tensor, array = as_tensor(picture()), picture()
    ck.load_image(tensor).zero_()
    ck.load_image(array).zero_()
    assert torch.equal(tensor, as_tensor(picture())) and np.array_equal(array, picture())


# Kinds of pixels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    # How a camera stores an upright picture under each orientation: the inverse of what a viewer must do.
    upright = Image.fromarray(picture())
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = upright if stored is None else upright.transpose(stored)
    assert torch.equal(ck.load_image(encoded(turned, "PNG", exif=exif)), as_tensor(picture()))


def test_exif_orientation_of_a_jpeg():
    sky_and_grass = np.zeros((32, 16, 3), np.uint8)
    sky_and_grass[:16], sky_and_grass[16:] = BLUE, GREEN
    exif = Image.Exif()
    exif[0x0112] = 6  # held upright, stored lying
    lying = Image.fromarray(sky_and_grass).transpose(Image.Transpose.ROTATE_90)
    image = ck.load_image(encoded(lying, "JPEG", exif=exif, quality=95))
    assert image.shape == (1, 3, 32, 16)
    assert pixel(image, 4, 8) == pytest.approx([0, 0, 1], abs=0.03)
    assert pixel(image, 28, 8) == pytest.approx([0, 1, 0], abs=0.03)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG"])
def test_grey_has_three_equal_channels(kind):
    image = ck.load_image(encoded(Image.new("L", (8, 8), 51), kind))
    assert image.shape == (1, 3, 8, 8)
    assert torch.equal(image, torch.full((1, 3, 8, 8), 51 / 255))


def test_black_and_white():
    assert torch.equal(ck.load_image(encoded(Image.new("1", (5, 4), 1), "PNG")), torch.ones(1, 3, 4, 5))


def test_transparency_is_laid_on_white():
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0] = [(255, 0, 0, 255), (255, 0, 0, 0), (255, 0, 0, 51)]  # opaque, invisible, one fifth
    for source in (encoded(Image.fromarray(rgba), "PNG"), encoded(Image.fromarray(rgba), "TIFF"), rgba):
        image = ck.load_image(source)
        assert pixel(image, 0, 0) == [1, 0, 0]
        assert pixel(image, 0, 1) == [1, 1, 1]
        assert pixel(image, 0, 2) == pytest.approx([1, 0.8, 0.8], abs=1 / 255)


def test_grey_with_transparency_is_laid_on_white():
    la = Image.fromarray(np.array([[(0, 255), (0, 0), (0, 51)]], np.uint8))
    assert la.mode == "LA"
    image = ck.load_image(encoded(la, "PNG"))
    assert [pixel(image, 0, x)[0] for x in range(3)] == pytest.approx([0, 1, 0.8], abs=1 / 255)


def palette_picture() -> Image.Image:
    image = Image.new("P", (3, 1))
    image.putpalette([*RED, *GREEN, *BLUE])
    image.putdata([0, 1, 2])
    return image


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_palette(kind):
    image = ck.load_image(encoded(palette_picture(), kind))
    assert [pixel(image, 0, x) for x in range(3)] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(("kind", "transparency"), [("PNG", 1), ("GIF", 1), ("PNG", b"\xff\x00\xff")])
def test_palette_with_transparency_is_laid_on_white(kind, transparency):
    image = ck.load_image(encoded(palette_picture(), kind, transparency=transparency))
    assert [pixel(image, 0, x) for x in range(3)] == [[1, 0, 0], [1, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_uses_its_full_range(kind):
    values = np.array([[0, 1, 257, 32768, 65535]], np.uint16)
    image = ck.load_image(encoded(Image.fromarray(values), kind))
    expected = torch.from_numpy(values.astype(np.float32) / 65535)
    assert torch.equal(image[0], expected.expand(3, 1, 5))


def test_32_bit_grey_does_not_wrap_around():
    deep = Image.fromarray(np.array([[0, 70_000]], np.int32))
    with pytest.raises(ck.ImageError, match=r"70000|65,?535"):
        ck.load_image(encoded(deep, "TIFF"))


@pytest.mark.parametrize(
    ("ink", "colour"), [((0, 255, 255, 0), RED), ((0, 0, 0, 0), WHITE), ((0, 0, 0, 255), (0, 0, 0))]
)
def test_cmyk_jpeg(ink, colour):
    jpeg = encoded(Image.new("CMYK", (16, 16), ink), "JPEG", quality=95)
    assert Image.open(io.BytesIO(jpeg)).mode == "CMYK"
    assert pixel(ck.load_image(jpeg), 8, 8) == pytest.approx([c / 255 for c in colour], abs=0.03)


def test_float_tiff_in_0_to_1():
    values = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    image = ck.load_image(encoded(Image.fromarray(values), "TIFF"))
    assert torch.equal(image[0, 0], torch.from_numpy(values))


def test_a_float_tiff_outside_0_to_1_is_named(tmp_path):
    path = tmp_path / "heights.tif"
    Image.fromarray(np.full((4, 4), 200, np.float32)).save(path)
    with pytest.raises(ck.ImageError, match=r"heights\.tif.*divide by 255"):
        ck.load_image(path)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.uint16, bool]),
        st.tuples(st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 3])),
    )
)
def test_integer_arrays_come_back_exactly(array):
    top = 1 if array.dtype == bool else np.iinfo(array.dtype).max
    image = ck.load_image(array)
    back = (image[0].double() * top).round().permute(1, 2, 0).numpy().astype(array.dtype)
    assert np.array_equal(back, np.broadcast_to(array, back.shape))


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(
        np.float32, st.tuples(st.just(3), st.integers(1, 6), st.integers(1, 6)), elements=st.floats(0, 1, width=32)
    )
)
def test_tensors_are_channels_first_whatever_their_size(array):
    assert torch.equal(ck.load_image(torch.from_numpy(array))[0], torch.from_numpy(array))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.uint8])
def test_tensor_dtypes(dtype):
    top = 255 if dtype == torch.uint8 else 1
    image = ck.load_image((torch.rand(3, 5, 7, generator=torch.Generator().manual_seed(0)) * top).to(dtype))
    assert image.dtype == torch.float32 and image.shape == (1, 3, 5, 7) and 0.5 < image.max() <= 1


# Sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [7, 64, 224, (31, 77), (77, 31), (1, 1)])
@pytest.mark.parametrize("shape", [(40, 60), (61, 41), (1, 1), (224, 224)])
def test_any_size_from_any_size(size, shape):
    image = ck.load_image(np.full((*shape, 3), 51, np.uint8), size=size)
    assert image.shape == (1, 3, *((size, size) if isinstance(size, int) else size))
    assert (image - 0.2).abs().max() < 1e-6, "a plain colour stays that colour up to the border"


def test_size_covers_and_cuts_the_centre():
    # Left and right thirds red and blue, green between: the centre square of a wide picture is the green third.
    wide = np.zeros((60, 180, 3), np.uint8)
    wide[:, :60], wide[:, 60:120], wide[:, 120:] = RED, GREEN, BLUE
    for array, inner in ((wide, (slice(None), slice(2, -2))), (wide.transpose(1, 0, 2), (slice(2, -2), slice(None)))):
        image = ck.load_image(array, size=30)
        assert image.shape == (1, 3, 30, 30)
        expected = torch.tensor([0.0, 1.0, 0.0]).view(3, 1, 1)
        assert (image[0][:, *inner] - expected).abs().max() < 0.02


def test_size_keeps_the_proportions():
    yy, xx = np.mgrid[:100, :200]
    disc = (((yy - 50) ** 2 + (xx - 100) ** 2) < 40**2).astype(np.float32)
    small = ck.load_image(disc, size=50)[0, 0]
    assert small.sum(0).count_nonzero() == pytest.approx(small.sum(1).count_nonzero(), abs=2)


def test_shrinking_averages_instead_of_picking_pixels():
    noise = picture(200, 200)
    assert ck.load_image(noise, size=40).std() < 0.3 * ck.load_image(noise).std()


@pytest.mark.parametrize("size", [0, -1, 10_001, 2.5, "224", (224,), (1, 2, 3), (0, 5), [3.5, 4]])
def test_bad_sizes(size):
    with pytest.raises(ck.OptionError, match="size must be"):
        ck.load_image("chelsea", size=size)


# Errors -----------------------------------------------------------------------------------------------------------


def damaged_files() -> dict[str, bytes]:
    photo = Image.fromarray(picture(64, 64))
    png, jpeg = encoded(photo, "PNG"), encoded(photo, "JPEG")
    return {
        "not a picture.png": b"This is a text, not a picture.",
        "page.html": b"<!DOCTYPE html><title>404</title>",
        "empty.jpg": b"",
        "cut.png": png[: len(png) // 2],
        "cut.jpg": jpeg[: len(jpeg) // 2],
        "cut.webp": encoded(photo, "WEBP")[:200],
        "cut.gif": encoded(photo, "GIF")[:600],
        "cut.tif": encoded(photo, "TIFF")[:600],
    }


@pytest.mark.parametrize("name", damaged_files())
def test_damaged_files_are_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(damaged_files()[name])
    with pytest.raises(ck.ImageError, match=re.escape(name)):
        ck.load_image(path)
    upload = ({"name": name, "content": memoryview(path.read_bytes())},)
    with pytest.raises(ck.ImageError, match=re.escape(name)):
        ck.load_image(upload)


def test_the_message_tells_empty_from_damaged_from_no_picture(tmp_path):
    for name, words in (("empty.jpg", "is empty"), ("page.html", "not a picture"), ("cut.jpg", "cut short")):
        (tmp_path / name).write_bytes(damaged_files()[name])
        with pytest.raises(ck.ImageError, match=words):
            ck.load_image(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's own words about the damage
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_file_cut_anywhere_gives_an_image_error(kind):
    whole = encoded(Image.fromarray(picture(8, 8)), kind)
    for length in range(0, len(whole) - 1, max(1, len(whole) // 60)):
        try:
            image = ck.load_image(whole[:length])
        except ck.ImageError:
            continue
        assert image.shape == (1, 3, 8, 8), "only trailing bytes were missing"
        assert length > len(whole) // 2


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_001, 5_000), (20_000, 15_000), (60_000, 60_000)])
def test_more_than_50_megapixels_are_refused_without_decoding(tmp_path, width, height):
    path = tmp_path / "poster.png"
    path.write_bytes(png_header(width, height))
    start = time.process_time()
    with pytest.raises(ck.ImageError, match=r"poster\.png has .*50 megapixels"):
        ck.load_image(path)
    assert time.process_time() - start < 0.5


def test_missing_files_and_names():
    with pytest.raises(ck.ImageError, match=r"'chelsae'.*Did you mean 'chelsea'"):
        ck.load_image("chelsae")
    with pytest.raises(ck.ImageError, match=r"'holiday\.jpg'.*photographs"):
        ck.load_image("holiday.jpg")
    with pytest.raises(ck.ImageError, match="no such folder"):
        ck.load_image(Path("no such folder/a.png"))


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(ck.ImageError, match=re.escape(str(tmp_path))):
        ck.load_image(tmp_path)


@pytest.mark.parametrize("source", [None, 3, {"name": "a.png"}, (), ({}, {}), object()])
def test_what_is_no_source_at_all(source):
    with pytest.raises(ck.ImageError):
        ck.load_image(source)


def test_an_upload_of_nothing_says_so():
    with pytest.raises(ck.ImageError, match="exactly one picture"):
        ck.load_image(())


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 5, 2), np.uint8), r"\(4, 5, 2\)"),
        (np.zeros((2, 3, 4, 5), np.uint8), r"\(2, 3, 4, 5\)"),
        (np.zeros((0, 5, 3), np.uint8), r"\(0, 5, 3\)"),
        (np.zeros(7, np.uint8), r"\(7,\)"),
        (np.zeros((4, 5, 3), np.int64), "int64"),
        (np.full((4, 5, 3), 200.0), "divide by 255"),
        (np.full((4, 5, 3), -1.0), "normalise"),
        (np.full((4, 5, 3), np.nan), "NaN"),
        (torch.zeros(2, 3, 4, 5), r"\(2, 3, 4, 5\)"),
        (torch.zeros(4, 5, 2), r"\(4, 5, 2\)"),
    ],
)
def test_wrong_arrays(array, words):
    with pytest.raises(ck.ImageError, match=words):
        ck.load_image(array)


# check_images -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_good_images_pass(dtype):
    check_images(torch.rand(2, 3, 4, 5).to(dtype))
    check_images(torch.zeros(1, 3, 1, 1, dtype=dtype))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.zeros((1, 3, 4, 4)), "ndarray.*load_image"),
        (torch.zeros(3, 4, 4), r"\(3, 4, 4\).*image\[None\]"),
        (torch.zeros(4, 4), r"\(4, 4\)"),
        (torch.zeros(1, 1, 4, 4), r"\(1, 1, 4, 4\)"),
        (torch.zeros(1, 4, 4, 3), r"\(1, 4, 4, 3\)"),
        (torch.zeros(0, 3, 4, 4), r"\(0, 3, 4, 4\)"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), "uint8"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.float16), "float16"),
        (torch.full((1, 3, 4, 4), float("nan")), "NaN"),
        (torch.full((1, 3, 4, 4), float("inf")), "infinite"),
        (torch.full((1, 3, 4, 4), 255.0), r"\[255, 255\].*divide by 255"),
        (torch.full((1, 3, 4, 4), -2.0), r"\[-2, -2\].*normalise"),
        (torch.full((1, 3, 4, 4), 1.5), r"\[1\.5, 1\.5\]"),
    ],
)
def test_images_that_are_refused(images, words):
    with pytest.raises(ck.ImageError, match=words):
        check_images(images)


def test_one_bad_value_is_enough():
    images = torch.rand(2, 3, 8, 8)
    images[1, 2, 7, 7] = float("nan")
    with pytest.raises(ck.ImageError, match="NaN"):
        check_images(images)


# save_image -------------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    st.sampled_from([".png", ".webp"]),
)
def test_save_and_load_round_trip(tmp_path_factory, array, suffix):
    path = tmp_path_factory.mktemp("saved") / f"a{suffix}"
    if suffix == ".png":
        assert ck.save_image(as_tensor(array), path) == path
        assert torch.equal(ck.load_image(path), as_tensor(array))
    else:
        assert ck.load_image(ck.save_image(as_tensor(array), path)).shape == as_tensor(array).shape


def test_save_rounds_to_the_nearest_value(tmp_path):
    image = torch.full((1, 3, 2, 2), 0.999)
    assert ck.load_image(ck.save_image(image, tmp_path / "a.png")).max() == 1


def test_several_images_stand_side_by_side(tmp_path):
    images = torch.rand(3, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    row = ck.load_image(ck.save_image(images, str(tmp_path / "row.png")))
    assert row.shape == (1, 3, 5, 12)
    for i, image in enumerate(images):
        assert (row[0, :, :, 4 * i : 4 * i + 4] - image).abs().max() <= 0.5 / 255 + 1e-6


def test_jpeg_by_suffix(tmp_path):
    path = ck.save_image(ck.load_image("chelsea", size=64), tmp_path / "cat.JPG")
    assert Image.open(path).format == "JPEG"


def test_full_disk_leaves_no_file_and_keeps_the_old_one(tmp_path, monkeypatch):
    path = ck.save_image(torch.zeros(1, 3, 4, 4), tmp_path / "a.png")
    before = path.read_bytes()

    def disk_full(self, file, *args, **options):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", disk_full)
    for name in ("a.png", "new.png"):
        with pytest.raises(OSError, match="No space left"):
            ck.save_image(torch.ones(1, 3, 4, 4), tmp_path / name)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"] and path.read_bytes() == before


def test_saved_files_can_be_read_by_others(tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert ck.save_image(torch.zeros(1, 3, 4, 4), tmp_path / "a.png").stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("name", ["picture", "picture.txt", "picture.psd"])
def test_saving_under_a_suffix_that_is_no_picture(tmp_path, name):
    with pytest.raises(ck.ImageError, match=re.escape(name)):
        ck.save_image(torch.zeros(1, 3, 4, 4), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_saving_into_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(ck.ImageError, match="nowhere"):
        ck.save_image(torch.zeros(1, 3, 4, 4), tmp_path / "nowhere" / "a.png")


def test_saving_what_is_no_image(tmp_path):
    with pytest.raises(ck.ImageError, match=r"\(3, 4, 4\)"):
        ck.save_image(torch.zeros(3, 4, 4), tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_matrix_of_numpy_is_an_array_of_grey_values():
    values = np.random.default_rng(0).random((40, 60), dtype=np.float32)
    assert torch.equal(ck.load_image(np.matrix(values)), ck.load_image(values))


# ------------------------------------------------------------------------------------------- the pictures of strangers

MEMORY = """
import io, resource, sys
import numpy as np
from PIL import Image
import coursekit as ck
kind, size = sys.argv[1], eval(sys.argv[2])
if kind == "array":
    source, pixels = np.full((4000, 5000, 3), 90, np.uint8), 20e6
else:
    source, file, pixels = None, io.BytesIO(), 48e6
    Image.new("RGB", (8000, 6000), (90, 10, 200)).save(file, kind)
    source = file.getvalue()
ck.load_image(b"P6 2 2 255 abcdefghijkl", size=8)  # what is imported for the first picture
# Linux counts in kB, and the most that there ever was: what making the picture took is given back with a fresh process.
import os
if (child := os.fork()) == 0:
    before = int(open("/proc/self/statm").read().split()[1]) * 4096
    image = ck.load_image(source, size=size)
    most = int([l for l in open("/proc/self/status") if l.startswith("VmHWM")][0].split()[1]) * 1024
    print((most - before) / 1e6, (most - before) / pixels, tuple(image.shape), image[0, :, 5, 5].tolist(), flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    ("kind", "size", "most"), [("PNG", 224, 300), ("JPEG", 224, 300), ("JPEG", (300, 224), 300), ("array", None, 320)]
)
def test_a_large_picture_takes_little_memory(kind, size, most):
    """A phone's 48 megapixels with size=224: below 300 MB; without a size 16 bytes a pixel at most."""
    run = subprocess.run([sys.executable, "-c", MEMORY, kind, repr(size)], capture_output=True, text=True, check=True)
    megabytes, each, *_ = run.stdout.split()
    assert float(megabytes) < most, run.stdout
    assert float(each) <= 16, run.stdout


def test_a_large_photograph_looks_as_before():
    """Shrunk in two steps, by whole numbers first: hardly another picture than in one."""
    photo = ck.load_image("chelsea")
    wide = torch.nn.functional.interpolate(photo, (2000, 3007), mode="bicubic").clamp(0, 1)
    large = (wide[0].permute(1, 2, 0) * 255).round().byte().numpy()
    assert large.shape[0] * large.shape[1] > 4e6
    for size in (224, (150, 300)):
        found = ck.load_image(Image.fromarray(large), size=size)
        assert (found - ck.load_image(large, size=size)).abs().max() < 0.06
        assert (found - ck.load_image(large, size=size)).abs().mean() < 0.004


@pytest.mark.parametrize("shape", [(1, 3_000_000), (3_000_000, 1), (2, 90_000)])
def test_a_strip_is_cut_before_it_is_enlarged(shape):
    strip = np.zeros((*shape, 3), np.uint8)
    start = time.process_time()
    assert ck.load_image(strip, size=(96, 64)).shape == (1, 3, 96, 64)
    assert time.process_time() - start < 5


def test_arrays_have_the_limit_too():
    grey = np.broadcast_to(np.uint8(7), (8000, 8000))  # one byte of memory
    with pytest.raises(ck.ImageError, match="64 megapixels"):
        ck.load_image(grey)
    with pytest.raises(ck.ImageError, match="64 megapixels"):
        ck.load_image(torch.zeros(1).expand(3, 8000, 8000))


def test_values_a_hair_outside_are_brought_inside():
    image = ck.load_image(np.array([[[1.00005, -5e-5, 0.5]]]))
    assert image.flatten().tolist() == [1.0, 0.0, 0.5]


RAW = {  # what Pillow's readers have raised: ValueError, NotImplementedError, RuntimeError, struct.error …
    "PPM": b"P6 hello world this is text",
    "SGI": b"\x01\xda\x01\x01\x00\x09" + bytes(600),
    "PNG": b"\x89PNG\r\n\x1a\n\x00\x00\x00\x05IHDR\x00\x00\x00\x08\x00" + bytes(4),
    "XPM": b"/* XPM */ static char *x[] = { not numbers };",
    "DDS": b"DDS |\x00\x00\x00" + bytes(120),
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
}


@pytest.mark.parametrize("content", RAW.values(), ids=RAW)
def test_whatever_pillow_raises_becomes_one_sentence(content):
    with pytest.raises(ck.ImageError, match=r"the given bytes (is|are)"):
        ck.load_image(content)


@pytest.mark.parametrize("source", ["a" * 300 + ".png", "~nosuchuser/x.png", "nul\0l.png"])
def test_names_that_cannot_be_paths(source):
    with pytest.raises(ck.ImageError):
        ck.load_image(source)


@pytest.mark.parametrize("content", [None, "text", 7])
def test_an_upload_without_bytes(content):
    with pytest.raises(ck.ImageError, match=r"cat\.png holds no bytes"):
        ck.load_image({"name": "cat.png", "content": content})


def test_mutated_files_are_opened_or_refused_in_words():
    """A small seeded run of `tests/helpers/fuzz.py`."""
    counts = fuzz.images(1200, seed=1)
    assert counts["tried"] == 1200 and counts["raw"] == counts["slow"] == 0, counts
    assert counts["right"] > 100 and counts["refused"] > 100
