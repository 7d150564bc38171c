"""Golden cases of q03-zero-padding: torch pads, convolves and differentiates; nothing here repeats a formula of the kata."""

import golden
import torch
import torch.nn.functional as F

SEED = 3
torch.manual_seed(SEED)


def random(*shape):
    return torch.randn(*shape)


def pad_case(name, shape, top, bottom, left, right):
    x = random(*shape)
    return dict(
        name=name,
        x=golden.array(x),
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        y=golden.array(F.pad(x, (left, right, top, bottom))),
        swapped=golden.array(F.pad(x, (right, left, bottom, top))),
        turned=golden.array(F.pad(x, (top, bottom, left, right))),
        replicated=golden.array(F.pad(x[None], (left, right, top, bottom), mode="replicate")[0]),
    )


def size_case(size, kernel, stride, dilation, before, after):
    """Positions from the shape of a convolution; unread pixels from its gradient, which is 0 where nothing reads."""
    x = torch.ones(1, 1, size, requires_grad=True)
    w = torch.ones(1, 1, kernel)
    y = F.conv1d(F.pad(x, (before, after)), w, stride=stride, dilation=dilation)
    y.sum().backward()
    unread = 0
    for g in reversed(x.grad.flatten().tolist()):
        if g != 0:
            break
        unread += 1
    return {"in": size, "kernel": kernel, "stride": stride, "dilation": dilation,
            "before": before, "after": after, "out": y.shape[-1], "unread": unread}


def same_case(size, kernel, stride):
    """The smallest total with which torch takes ⌈size/stride⌉ positions, the positions an unpadded 1-tap kernel takes."""
    w = torch.ones(1, 1, kernel)
    x = torch.ones(1, 1, size)
    want = F.conv1d(x, w[:, :, :1], stride=stride).shape[-1]
    total = 0
    while size + total < kernel or F.conv1d(F.pad(x, (0, total)), w, stride=stride).shape[-1] < want:
        total += 1
    before = total // 2
    if stride == 1:  # torch knows "same" at stride 1: its first answer shows how many taps hang over in front
        taps = torch.arange(1.0, kernel + 1)[None, None]
        impulse = torch.zeros(1, 1, size)
        impulse[0, 0, 0] = 1
        assert F.conv1d(impulse, taps, padding="same")[0, 0, 0].item() == before + 1
    return {"in": size, "kernel": kernel, "stride": stride, "before": before, "after": total - before}


def uses_case(h, w, kernel, pad):
    """How often a pixel is read is the gradient of the sum of an all-ones convolution."""
    x = torch.zeros(1, 1, h, w, requires_grad=True)
    F.conv2d(x, torch.ones(1, 1, kernel, kernel), padding=pad).sum().backward()
    return dict(h=h, w=w, kernel=kernel, pad=pad, uses=golden.array(x.grad[0, 0]))


def layers_case(size, kernel):
    x, w, layers = torch.ones(1, 1, size), torch.ones(1, 1, kernel), 0
    while x.shape[-1] >= kernel:
        x, layers = F.conv1d(x, w), layers + 1
    return dict(size=size, kernel=kernel, layers=layers)


def conv_case(name, c, h, w, o, kh, kw, stride, pad, bias=True):
    x, k = random(c, h, w), random(o, c, kh, kw)
    b = random(o) if bias else None

    def conv(x, k, b, pad):
        return F.conv2d(x[None], k, b, stride=stride, padding=pad)[0]

    y = conv(x, k, b, pad)
    wrong = dict(flipped=conv(x, k.flip(2, 3), b, pad))
    if kh == kw:
        wrong["turned"] = conv(x, k.transpose(2, 3), b, pad)
    if pad > 0:
        wrong["replicated"] = conv(F.pad(x[None], (pad,) * 4, mode="replicate")[0], k, b, 0)
        wrong["once"] = conv(F.pad(x, (pad, 0, pad, 0)), k, b, 0)
    if bias:
        wrong["nobias"] = conv(x, k, None, pad)
        inside = conv(torch.ones_like(x), torch.ones_like(k), None, pad) == c * kh * kw
        wrong["inside"] = conv(x, k, None, pad) + b[:, None, None] * inside
    if c > 1:
        wrong["first"] = conv(x[:1], k[:, :1], b, pad)
    if c == o and c > 1:
        wrong["apart"] = F.conv2d(x[None], k[range(c), range(c)][:, None], b, stride=stride, padding=pad, groups=c)[0]
    if stride > 1:
        wrong["crowded"] = F.conv2d(x[None], k, b, padding=pad)[0, :, : y.shape[1], : y.shape[2]]
    case = dict(name=name, x=golden.array(x), w=golden.array(k), bias=golden.array(b if bias else torch.zeros(0)),
                stride=stride, pad=pad, y=golden.array(y))
    kept = [y]
    for key, value in wrong.items():  # a mistake that changes nothing here, or looks like another, has no name here
        if all(v.shape != value.shape or (v - value).abs().max() > 1e-3 for v in kept):
            kept.append(value)
            case[key] = golden.array(value)
    return case


golden.save(
    "q03-zero-padding",
    SEED,
    pad=[
        pad_case("one on the left", (1, 2, 3), 0, 0, 1, 0),
        pad_case("two channels, four different sides", (2, 3, 4), 1, 2, 3, 0),
        pad_case("three channels, more rows than columns", (3, 4, 2), 2, 0, 1, 3),
        pad_case("behind the last pixels alone", (2, 3, 2), 0, 2, 0, 1),
        pad_case("above and below alone", (1, 2, 4), 1, 2, 0, 0),
    ],
    sizes=[
        size_case(*c)
        for c in [
            (5, 3, 1, 1, 0, 0), (5, 3, 1, 1, 1, 1), (5, 3, 1, 1, 2, 2), (6, 4, 1, 1, 1, 1), (6, 4, 1, 1, 1, 2), (7, 2, 1, 2, 1, 1),
            (9, 3, 1, 2, 2, 2), (9, 3, 1, 3, 0, 0), (8, 3, 2, 1, 0, 0), (8, 3, 2, 1, 1, 1), (8, 3, 2, 1, 0, 1), (8, 3, 2, 1, 1, 0),
            (224, 11, 4, 1, 0, 0), (224, 11, 4, 1, 2, 2), (227, 11, 4, 1, 0, 0), (224, 7, 2, 1, 3, 3), (10, 3, 4, 1, 0, 0), (10, 1, 4, 1, 0, 0),
            (12, 2, 3, 2, 0, 0), (13, 6, 5, 1, 1, 2), (13, 6, 5, 1, 0, 0), (10, 3, 3, 2, 1, 0), (11, 2, 5, 3, 2, 1), (4, 4, 3, 1, 0, 0),
            (3, 2, 9, 1, 4, 0), (1, 1, 1, 1, 0, 0), (2, 5, 1, 1, 0, 3), (14, 4, 4, 1, 0, 1), (6, 1, 4, 1, 0, 4), (4, 2, 1, 6, 0, 4), (5, 3, 2, 4, 1, 5),
        ]
    ],
    same=[
        same_case(*c)
        for c in [
            (5, 3, 1), (7, 5, 1), (6, 2, 1), (6, 4, 1), (3, 6, 1), (9, 1, 1), (8, 3, 2), (7, 3, 2), (8, 2, 2), (9, 2, 2), (8, 1, 3),
            (13, 6, 5), (224, 11, 4), (224, 7, 2), (10, 5, 3), (12, 4, 3), (1, 4, 2), (15, 8, 6), (7, 2, 3), (10, 3, 4), (11, 3, 5), (3, 5, 2), (5, 9, 3),
        ]
    ],
    uses=[
        uses_case(*c)
        for c in [(5, 5, 3, 0), (5, 5, 3, 1), (5, 5, 3, 2), (6, 3, 2, 0), (7, 4, 3, 1), (4, 7, 3, 1), (5, 8, 4, 1), (3, 4, 3, 0), (2, 6, 5, 2), (3, 5, 2, 4), (2, 3, 5, 4)]
    ],
    layers=[layers_case(*c) for c in [(32, 3), (32, 2), (33, 3), (32, 5), (33, 5), (28, 7), (3, 3), (2, 3), (1, 2), (224, 11)]],
    conv=[
        conv_case("3×3 kernel, pad 1", 2, 4, 5, 3, 3, 3, 1, 1),
        conv_case("even 4×4 kernel, stride 2, pad 1", 3, 6, 7, 2, 4, 4, 2, 1),
        conv_case("3×2 kernel, stride 2, pad 2", 1, 5, 8, 2, 3, 2, 2, 2),
        conv_case("5×5 kernel, stride 3, pad 2", 2, 7, 9, 3, 5, 5, 3, 2),
        conv_case("1×1 kernel, pad 1: some windows see only zeros", 3, 2, 4, 2, 1, 1, 1, 1),
        conv_case("2×3 kernel, unpadded, no bias", 2, 5, 4, 3, 2, 3, 1, 0, bias=False),
        conv_case("2×2 kernel, stride 3, pad wider than the kernel", 2, 4, 3, 1, 2, 2, 3, 3),
        conv_case("as many channels out as in", 3, 4, 5, 3, 2, 2, 1, 1),
    ],
)
