"""An image is read from whatever holds one, and arrays are RGB unless said otherwise."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from retrieval import Query, QueryError, UsageError
from retrieval.inputs.images import open_image
from tests.retrieval.files import encoded, striped

STRIPES = striped((200, 100, 50))
PIXELS = np.asarray(STRIPES)
GREY = PIXELS[..., 0]
ALPHA = np.dstack([PIXELS, np.full(PIXELS.shape[:2], 255, np.uint8)])


def pixels(source, **options):
    image = open_image(source, **options).image
    assert image.mode == "RGB"
    return np.asarray(image)


def tensor(array):
    return torch.from_numpy(np.moveaxis(np.array(array), -1, 0).copy())


@pytest.mark.parametrize(
    "source",
    [
        STRIPES,
        encoded(STRIPES),
        bytearray(encoded(STRIPES)),
        memoryview(encoded(STRIPES)),
        PIXELS,
        PIXELS / 255,
        (PIXELS / 255).astype(np.float32),
        ALPHA,
        ALPHA / 255,
        tensor(PIXELS),
        tensor(PIXELS) / 255,
        (tensor(PIXELS).float() / 255).requires_grad_(),
        tensor(ALPHA),
    ],
    ids=lambda source: f"{type(source).__name__}-{getattr(source, 'dtype', '')}",
)
def test_the_same_image_in_every_form(source):
    assert np.array_equal(pixels(source), PIXELS)


def test_files_that_are_open(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(STRIPES))
    with (tmp_path / "a.png").open("rb") as file:
        assert np.array_equal(pixels(file), PIXELS)
    assert np.array_equal(pixels(io.BytesIO(encoded(STRIPES))), PIXELS)
    with pytest.raises(QueryError, match="image: expected a file opened in binary mode"):
        open_image(io.StringIO("text"))


def test_the_size_of_encoded_bytes_is_known_before_they_are_shrunk():
    photo = open_image(encoded(Image.new("RGB", (2000, 1000)), "JPEG"))
    assert photo.size == (2000, 1000) and photo.image.width < 2000 and photo.name is None


@pytest.mark.parametrize("grey", [GREY, GREY / 255, GREY[..., None], torch.tensor(GREY)[None]])
def test_grey_becomes_rgb(grey):
    assert np.array_equal(pixels(grey), np.repeat(GREY[..., None], 3, axis=2))


def test_half_precision_is_as_exact_as_it_can_be():
    half = tensor(PIXELS).to(torch.bfloat16) / 255
    assert np.abs(pixels(half).astype(int) - PIXELS).max() <= 1


def test_transparent_pixels_lie_over_white():
    clear = ALPHA.copy()
    clear[..., 3] = 0
    clear[0, 0] = (0, 0, 0, 255)
    for source in (clear, tensor(clear)):
        assert (pixels(source)[1:] == 255).all() and (pixels(source)[0, 0] == 0).all()


@pytest.mark.parametrize("source", [PIXELS, ALPHA, PIXELS / 255, tensor(PIXELS)])
def test_bgr_arrays_of_opencv(source):
    assert np.array_equal(pixels(source, bgr=True), PIXELS[..., ::-1])


def test_bgr_does_not_change_files_and_grey_arrays():
    assert np.array_equal(pixels(encoded(STRIPES), bgr=True), PIXELS)
    assert np.array_equal(pixels(STRIPES, bgr=True), PIXELS)
    assert np.array_equal(pixels(GREY, bgr=True), pixels(GREY))


def test_bgr_is_a_keyword_of_queries():
    for name in ("image", "image_tokens", "normals"):
        (entry,) = Query.read(**{name: PIXELS, "bgr": True}).inputs
        assert np.array_equal(np.asarray(entry.value), PIXELS[..., ::-1])
    assert Query.read(palette_of=PIXELS, bgr=True).inputs[0].value[0][2] == 200
    (part,) = Query.read(image=PIXELS, use_only="palette", bgr=True).inputs
    assert part.value == Query.read(palette_of=PIXELS, bgr=True).inputs[0].value
    with pytest.raises(QueryError, match="bgr: expected False or True, got 'yes'"):
        Query.read(image=PIXELS, bgr="yes")
    with pytest.raises(UsageError, match="bgr: applies to image, seg"):
        Query.read(text="a dog", bgr=True)


def test_tensors_that_are_views_are_resolved():
    tensor = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert np.array_equal(pixels(torch._neg_view(-tensor)), pixels(tensor))


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (np.zeros((3, 4, 5), np.uint8), r"expected an array .* or \(H, W, 4\), got \(3, 4, 5\)"),
        (np.zeros((4, 4, 3), np.int64), r"expected uint8, or floats in \[0, 1\], got int64"),
        (PIXELS.astype(np.float32), r"expected uint8, or floats in \[0, 1\], got .* to 200"),
        (np.full((4, 4), np.nan), "got nan to nan"),
        (np.full((4, 4), -0.5), "got -0.5 to -0.5"),
        (np.zeros((0, 5, 3), np.uint8), "expected 1 to "),
        (np.zeros((1, 4, 4, 3), np.uint8), "expected an array"),
        (np.zeros(4, np.uint8), "expected an array"),
        (torch.zeros(8, 8, 3), r"expected a tensor \(3, H, W\), got \(8, 8, 3\)"),
        (torch.zeros(1, 3, 8, 8), "expected a tensor"),
        (torch.eye(8).to_sparse(), "expected a dense tensor of numbers"),
        (torch.zeros(3, 8, 8, device="meta"), "expected a dense tensor of numbers"),
        (3, "expected a path, a Pillow image, bytes, .* got int"),
        (b"no image", "not an image"),
        (b"", "empty file"),
    ],
)
def test_other_things_are_refused(source, reason):
    with pytest.raises(QueryError, match=f"image: .*{reason}"):
        open_image(source)


def test_an_open_file_can_be_given_twice(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(STRIPES))
    with (tmp_path / "a.png").open("rb") as file:
        for _ in range(2):
            assert np.array_equal(pixels(file), PIXELS)
        query = Query.read(image=file, canny=file, palette_of=file)
    assert query.modalities == ("image", "edges", "palette")


def test_a_stream_that_cannot_be_rewound_is_read_once():
    class Stream(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *given):
            raise OSError("not seekable")

    assert np.array_equal(pixels(Stream(encoded(STRIPES))), PIXELS)


@pytest.mark.parametrize(
    "name", ["image", "normals", "edges", "canny", "sam_edges", "palette_of", "image_tokens"]
)
def test_errors_about_arrays_name_their_input(name):
    for source in (np.zeros((4, 4, 7), np.uint8), [1, 2], io.BytesIO(b""), np.full((4, 4), 9.0)):
        with pytest.raises(QueryError) as error:
            Query.read(**{name: source})
        assert error.value.where == name


def test_a_photo_without_edges_names_its_input():
    with pytest.raises(QueryError, match="canny: there is no edge in the image"):
        Query.read(canny=np.zeros((30, 30, 3), np.uint8))
    with pytest.raises(QueryError, match="image: there is no edge in the image"):
        Query.read(image=np.zeros((30, 30, 3), np.uint8), use_only="edges")
