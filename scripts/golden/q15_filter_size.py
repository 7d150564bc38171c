"""Golden cases of q15-filter-size: two kernels in a row by PyTorch's convolution, best low-rank kernels by its SVD."""

import golden
import torch
from torch.nn.functional import conv2d, pad

SEED = 15
torch.manual_seed(SEED)


def correlate(x, k):
    return conv2d(x[None, None], k[None, None])[0, 0]


def compose(name, a, b):
    a, b = torch.randn(*a), torch.randn(*b)
    room = (b.shape[1] - 1, b.shape[1] - 1, b.shape[0] - 1, b.shape[0] - 1)
    both = correlate(pad(a, room), b.flip(0, 1))
    x = torch.randn(9, 10)
    assert torch.allclose(correlate(x, both), correlate(correlate(x, a), b), rtol=1e-12, atol=1e-12)
    return {
        "name": name,
        "a": golden.array(a), "b": golden.array(b), "both": golden.array(both),
        "correlated": golden.array(correlate(pad(a, room), b)),
        "flipped": golden.array(both.flip(0, 1)),
    }


def rank(name, h, w, terms):
    k = torch.randn(h, w)
    u, s, v = torch.linalg.svd(k, full_matrices=False)
    total = lambda weights, pick: golden.array((u[:, pick] * weights) @ v[pick])
    first, last = slice(0, terms), slice(len(s) - terms, len(s))
    return {
        "name": name, "terms": terms,
        "k": golden.array(k),
        "best": total(s[first], first),
        "smallest": total(s[last], last),
    }


col, row = torch.randn(4), torch.randn(3)
golden.save(
    "q15-filter-size",
    SEED,
    compose=[compose("3×3 after 3×3", (3, 3), (3, 3)), compose("2×3 after 4×2", (4, 2), (2, 3)), compose("3×1 after 1×3", (1, 3), (3, 1))],
    outer=[{"name": "4×3", "k": golden.array(torch.outer(col, row))}],
    rank=[rank("1 term of 5×5", 5, 5, 1), rank("2 terms of 4×6", 4, 6, 2), rank("2 terms of 5×3", 5, 3, 2)],
)
