"""Golden cases of q02-pooling: torch pools and differentiates. What a mistake would give is computed window by window."""

import golden
import torch
import torch.nn.functional as F

SEED = 2
torch.manual_seed(SEED)


def by_windows(x, dy, size, stride, share):
    """Adds share(window, g), g being the window's part of dy, to every window of zeros like x."""
    dx = torch.zeros_like(x)
    for c in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                rows, cols = slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
                dx[c, rows, cols] += share(x[c, rows, cols], dy[c, i, j])
    return dx


def at_last(window, g):
    out = torch.zeros_like(window).flatten()
    out[(window.flatten() == window.max()).nonzero().max()] = g
    return out.view_as(window)


def overwritten(x, dy, size, stride, share):
    """As by_windows, but what a window gives replaces what was there."""
    dx = torch.zeros_like(x)
    for c in range(dy.shape[0]):
        for i in range(dy.shape[1]):
            for j in range(dy.shape[2]):
                rows, cols = slice(i * stride, i * stride + size), slice(j * stride, j * stride + size)
                part = share(x[c, rows, cols], dy[c, i, j])
                dx[c, rows, cols] = torch.where(part != 0, part, dx[c, rows, cols])
    return dx


def at_first(window, g):
    out = torch.zeros_like(window).flatten()
    out[(window.flatten() == window.max()).nonzero().min()] = g
    return out.view_as(window)


def told_apart(case, right, wrong):
    """Adds the values of mistakes to a case, but for those that are right here or that look like another."""
    def same(a, b):
        return a.shape == b.shape and (a - b).abs().max() < 1e-3

    for key, value in wrong.items():
        if not any(same(value, v) for k, v in [("", right), *wrong.items()] if k != key):
            case[key] = golden.array(value)


def case(name, x, size, stride):
    x = x.clone().requires_grad_()
    largest = F.max_pool2d(x[None], size, stride)[0]
    mean = F.avg_pool2d(x[None], size, stride)[0]
    dy = torch.randn(largest.shape)
    dmax, dmean = torch.autograd.grad(largest, x, dy)[0], torch.autograd.grad(mean, x, dy)[0]
    x = x.detach()

    forward = dict(name=name, x=golden.array(x), size=size, stride=stride, y=golden.array(largest))
    told_apart(forward, largest, dict(
        mean=mean,
        clamped=largest.clamp(min=0),
        smallest=-F.max_pool2d(-x[None], size, stride)[0],
        ceiled=F.max_pool2d(x[None], size, stride, ceil_mode=True)[0],
        turned=largest.transpose(1, 2),
    ))
    backward = dict(name=name, x=golden.array(x), dy=golden.array(dy), size=size, stride=stride, dx=golden.array(dmax))
    told_apart(backward, dmax, dict(
        last=by_windows(x, dy, size, stride, at_last),
        all=by_windows(x, dy, size, stride, lambda w, g: (w == w.max()) * g),
        split=by_windows(x, dy, size, stride, lambda w, g: (w == w.max()) * g / (w == w.max()).sum()),
        spread=dmean,
        overwritten=overwritten(x, dy, size, stride, at_first),
    ))
    average = dict(name=name, x=golden.array(x), dy=golden.array(dy), size=size, stride=stride, y=golden.array(mean), dx=golden.array(dmean))
    told_apart(average, mean, dict(bystride=mean * size**2 / stride**2, sum=mean * size**2, byside=mean * size))
    told_apart(average, dmean, dict(
        dundivided=dmean * size**2,
        dbystride=dmean * size**2 / stride**2,
        dbyside=dmean * size,
        doverwritten=overwritten(x, dy, size, stride, lambda w, g: torch.full_like(w, g) / size**2),
    ))
    return forward, backward, average


def kernel_case(channels, size):
    """The kernel is the derivative of one pooled window by its pixels."""
    x = torch.zeros(1, channels, size, size, requires_grad=True)
    y = F.avg_pool2d(x, size)
    rows = [torch.autograd.grad(y[0, c, 0, 0], x, retain_graph=True)[0][0] for c in range(channels)]
    return dict(channels=channels, size=size, kernel=golden.array(torch.stack(rows)))


def global_case(name, x):
    y = F.adaptive_avg_pool2d(x[None], 1)[0, :, 0, 0]
    return dict(name=name, x=golden.array(x), y=golden.array(y))


def weights_case(h, w, channels, pools, units):
    """torch builds the network and counts; no memory is spent on the meta device."""
    x = torch.empty(1, 1, h, w)
    for _ in range(pools):
        x = F.max_pool2d(x, 2)
    dense = torch.nn.Linear(channels * x.shape[2] * x.shape[3], units, bias=False, device="meta")
    return dict(h=h, w=w, channels=channels, pools=pools, units=units, weights=dense.weight.numel())


whole = torch.tensor([[[1, 3, 3, 0, 2], [3, 2, 3, 1, 2], [0, 0, 1, 2, 2], [0, 0, 2, 2, 1]]]).double()
cases = [
    case("2×2, stride 2, three channels", torch.randn(3, 4, 6), 2, 2),
    case("2×2, stride 2, odd sizes: the rest is dropped", torch.randn(2, 5, 7), 2, 2),
    case("3×3, stride 2: windows overlap", torch.randn(2, 7, 5), 3, 2),
    case("3×3, stride 1: windows overlap on both sides", torch.randn(1, 4, 6), 3, 1),
    case("2×2, stride 3: some pixels are skipped", torch.randn(2, 8, 6), 2, 3),
    case("2×2, stride 1, equal values", whole, 2, 1),
    case("2×2, stride 2, all negative", torch.randn(2, 4, 4).abs().neg() - 1, 2, 2),
    case("4×4, stride 3, even windows that overlap", torch.randn(1, 7, 10), 4, 3),
    case("3×3, stride 5: one window as high as the map", torch.randn(2, 3, 4), 3, 5),
    case("2×2, stride 4: one window as wide as the map", torch.randn(2, 3, 2), 2, 4),
]
golden.save(
    "q02-pooling",
    SEED,
    max=[c[0] for c in cases],
    maxBackward=[c[1] for c in cases],
    average=[c[2] for c in cases],
    globalAverage=[global_case("one channel", torch.randn(1, 2, 3)), global_case("three channels, 4×5", torch.randn(3, 4, 5) + 2)],
    averageKernel=[kernel_case(1, 2), kernel_case(3, 2), kernel_case(2, 3)],
    firstDenseWeights=[
        weights_case(*c) for c in [(8, 8, 1, 0, 10), (8, 8, 1, 1, 10), (28, 28, 3, 2, 100), (7, 9, 2, 1, 5), (15, 30, 4, 3, 6), (224, 224, 512, 5, 4096), (224, 224, 512, 0, 4096), (2, 3, 5, 1, 7), (9, 18, 3, 2, 4)]
    ],
)
