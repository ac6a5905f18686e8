"""Lab 11's own: tables of pictures, stored plates, and pictures whose cues conflict."""

import pytest
import torch

import coursekit as ck


def test_a_table_has_the_names_of_rows_and_columns_once():
    pictures = [torch.rand(1, 3, 32, 32) for _ in range(4)]
    axes = ck.show_picture_table({"above": pictures[:2], "below": pictures[2:]}, ["left", "right"]).figure.axes
    assert [ax.get_title() for ax in axes] == ["left", "right", "", ""]
    assert [ax.get_ylabel() for ax in axes] == ["above", "", "below", ""]


def test_a_row_of_another_length_gets_one_sentence():
    with pytest.raises(ck.OptionError, match="2 pictures, one for each column"):
        ck.show_picture_table({"a": [torch.rand(1, 3, 32, 32)]}, ["left", "right"])
    with pytest.raises(ck.OptionError, match="do not fill it"):
        ck.style_tiles("grid", 100)


def test_each_object_gives_its_shape_once_and_its_texture_once():
    pairs = ck.cue_conflicts()
    shapes, textures = zip(*pairs, strict=True)
    assert len(set(shapes)) == len(pairs) and set(shapes) == set(textures)
    core = ck.cutouts("core")
    assert len({core[name] for name in shapes}) == len(pairs), "no two of one class"
    assert sum(map(len, ck.style_tiles("conflicts", 112))) >= len(pairs)


def test_a_texture_is_cut_from_inside_its_object():
    """A cut-out on another background gives the same texture, where the object fills the square."""
    grey = torch.full((1, 3, 112, 112), 0.5)
    assert ((ck.object_texture("lemon") - grey).abs().amax(1) < 0.02).float().mean() < 0.02
    assert ck.shape_scene("lemon").masks["lemon"].any()
