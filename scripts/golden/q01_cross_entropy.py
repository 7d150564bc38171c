"""Golden cases of q01-cross-entropy: both losses of a sigmoid output, softmax with cross-entropy, one neuron trained."""

import golden
import numpy
import torch
import torch.nn.functional as F

SEED = 1
torch.manual_seed(SEED)


def sigmoid():
    z = torch.tensor([-700.0, -699.9, -612.3, -300.5, -40.0, -30.2, -20.0, -6.0, -0.75, 0.0, 2.0, 36.0, 800.0])
    a = torch.sigmoid(z)
    wide = 1 / (1 + numpy.exp(-z.numpy().astype(numpy.longdouble)))  # 64 bits of mantissa
    assert (abs(a.numpy() / wide - 1) < 1e-15).all()
    return dict(z=golden.array(z), a=golden.array(a))


def losses(name, z, y):
    """Both losses of every pair z, y, and their derivatives by z."""
    z, y = torch.tensor(z, requires_grad=True), torch.tensor(y)
    log = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    squared = 0.5 * F.mse_loss(torch.sigmoid(z), y, reduction="none")
    dlog, = torch.autograd.grad(log.sum(), z, retain_graph=True)
    dsquared, = torch.autograd.grad(squared.sum(), z)
    return dict(name=name, z=golden.array(z), y=golden.array(y), log=golden.array(log), squared=golden.array(squared),
                dlog=golden.array(dlog), dsquared=golden.array(dsquared))


def classes(name, z, label):
    z = z.clone().requires_grad_()
    loss = F.cross_entropy(z[None], torch.tensor([label]))
    loss.backward()
    return dict(name=name, z=golden.array(z), label=label, probs=golden.array(F.softmax(z, dim=0)), loss=loss.item(),
                grad=golden.array(z.grad))


def ratio():
    z = torch.tensor([-700.0, -300.5, -40.0, -24.8, -6.0, -0.75, 0.0, 2.0, 10.0, 16.3, 40.0, 700.0])
    r = 1 / (torch.sigmoid(z) * torch.sigmoid(-z))
    return dict(z=golden.array(z), r=golden.array(r))


def neuron(name, loss, w, b, x, y, rate, epochs):
    start = dict(w=w, b=b, x=x, y=y, rate=rate, epochs=epochs)
    w, b = torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True)
    y = torch.tensor(y)
    descent = torch.optim.SGD([w, b], lr=rate)
    outputs = []
    for _ in range(epochs):
        descent.zero_grad()
        z = w * x + b
        cost = F.binary_cross_entropy_with_logits(z, y) if loss == "log" else 0.5 * (torch.sigmoid(z) - y) ** 2
        cost.backward()
        descent.step()
        outputs.append(torch.sigmoid(w * x + b).item())
    return dict(name=name, loss=loss, outputs=golden.array(outputs), **start)


start = dict(w=1.2, b=-0.7, x=-1.75, y=0.8, rate=0.6, epochs=12)

golden.save(
    "q01-cross-entropy", SEED,
    sigmoid=[sigmoid()],
    losses=[
        losses("hard targets", [-6.0, -1.25, 0.0, 0.5, 3.0, -2.0, 0.75, 1.5], [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        losses("soft targets", [-3.0, -0.5, 0.25, 2.0, 4.0, -1.0], [0.3, 0.9, 0.6, 0.1, 0.75, 0.45]),
    ],
    saturated=[
        losses("large logits", [-800.0, -800.0, -40.0, 40.0, 40.0, 800.0, 800.0], [1.0, 0.25, 1.0, 0.0, 1.0, 0.0, 0.25]),
    ],
    nearly_sure=[
        losses("logits where the loss of a right answer is small", [30.0, 33.3, 26.5, 22.0, 30.0, -33.3, -26.5, -22.0, -30.0], [0.0, 1.0, 1.0, 1.0, 0.75, 0.0, 0.0, 0.0, 1.0]),
    ],
    classes=[
        classes("five classes", 1.5 * torch.randn(5), 3),
        classes("seven classes, the last", 2 * torch.randn(7), 6),
    ],
    large=[
        classes("logits of ±1000", torch.tensor([1000.0, -1000.0, 998.5, 0.0, 999.0, 1000.5]), 2),
        classes("a label without probability", torch.tensor([1000.0, -1000.0, 1001.0]), 1),
        classes("all far below zero", torch.tensor([-1000.0, -1001.0, -998.0, -1002.5, -999.5, -1000.25]), 4),
        classes("one far below zero", torch.tensor([5.0, -900.0, 3.5]), 2),
        classes("an answer that is nearly sure", torch.tensor([-4.0, 16.5, -12.0]), 1),
        classes("all 500 below zero", torch.tensor([-500.0, -502.5, -501.0]), 2),
    ],
    ratio=[ratio()],
    neuron=[neuron("cross-entropy", "log", **start), neuron("squared error", "squared", **start)],
)
