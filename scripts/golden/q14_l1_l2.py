"""Golden cases of q14-l1-l2: losses, gradients, best constants and the least-squares line, by PyTorch."""

import golden
import torch
from torch.nn import functional

SEED = 14
random = torch.Generator().manual_seed(SEED)


def normal(*shape):
    return torch.randn(*shape, generator=random, dtype=torch.float64)


def loss_case(name, n, scale, loss, ties=(), **parameters):
    """The mean loss of n predictions and its gradient; the residuals at the indices `ties` are exactly 0."""
    y = 3 + scale * normal(n)
    pred = y + scale * normal(n)
    for i in ties:
        pred[i] = y[i]
    pred.requires_grad_()
    value = loss(pred, y, **parameters)
    value.backward()
    return dict(
        name=name, pred=golden.array(pred), y=golden.array(y), loss=value.item(), grad=golden.array(pred.grad), **parameters
    )


def constant_case(name, y):
    return dict(
        name=name,
        y=golden.array(y),
        mean=y.mean().item(),
        lo=torch.quantile(y, 0.5, interpolation="lower").item(),
        hi=torch.quantile(y, 0.5, interpolation="higher").item(),
    )


def rounded(value):
    """13 digits: lstsq's last bits depend on where its arrays lie in memory."""
    return float(f"{value.item():.12e}")


def line_case(name, x, y):
    """Least squares by lstsq on the centred x, which is well conditioned wherever x lies."""
    centre = x.mean()
    design = torch.stack([torch.ones_like(x), x - centre], dim=1)
    at_centre, slope = torch.linalg.lstsq(design, y.unsqueeze(1)).solution[:, 0]
    return dict(
        name=name,
        x=golden.array(x),
        y=golden.array(y),
        intercept=rounded(at_centre - slope * centre),
        slope=rounded(slope),
    )


x = 2 * normal(9)
years = torch.arange(1950, 1974, dtype=torch.float64)
seconds = 1.7e9 + 60 * torch.arange(12, dtype=torch.float64)

golden.save(
    "q14-l1-l2",
    SEED,
    mse=[loss_case("nine values", 9, 1.0, functional.mse_loss), loss_case("large residuals", 6, 40.0, functional.mse_loss)],
    mae=[
        loss_case("nine values", 9, 1.0, functional.l1_loss),
        loss_case("two ties", 8, 2.0, functional.l1_loss, ties=(1, 6)),
    ],
    huber=[
        loss_case("delta 0.7", 11, 1.0, functional.huber_loss, delta=0.7),
        loss_case("delta 2.5", 10, 3.0, functional.huber_loss, ties=(4,), delta=2.5),
    ],
    constants=[
        constant_case("seven values", 5 * normal(7)),
        constant_case("eight values", 5 * normal(8)),
        constant_case("a value three times", torch.tensor([4, 1, 9, 4, 7, 4], dtype=torch.float64)),
        constant_case("two values", torch.tensor([3, 1], dtype=torch.float64)),
        constant_case("one far value", torch.tensor([100, 2, 4, 1, 3], dtype=torch.float64)),
        constant_case("one value", torch.tensor([-2.5], dtype=torch.float64)),
    ],
    lines=[
        line_case("nine points", x, 3 - 1.5 * x + normal(9)),
        line_case("years", years, 0.4 * (years - 1950) + normal(24)),
        line_case("seconds since 1970", seconds, 0.01 * (seconds - 1.7e9) + normal(12)),
    ],
)
