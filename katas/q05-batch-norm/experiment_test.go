package batchnorm_test

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/digits"
	batchnorm "whyhow/katas/q05-batch-norm"
)

// activation is a hidden unit's f, and f′ as a function of the same input.
type activation struct{ value, slope func(float64) float64 }

var (
	sigmoid = activation{
		func(v float64) float64 { return 1 / (1 + math.Exp(-v)) },
		func(v float64) float64 { s := 1 / (1 + math.Exp(-v)); return s * (1 - s) },
	}
	relu = activation{
		func(v float64) float64 { return math.Max(v, 0) },
		func(v float64) float64 {
			if v > 0 {
				return 1
			}
			return 0
		},
	}
)

// layer is u = BN(z) with z = in·w + b; norm is nil where there is no batch norm, and then u = z.
type layer struct {
	w        *mat.Dense
	b        []float64
	norm     *batchnorm.Layer
	in, z, u *mat.Dense // of the last forward pass
}

// network is digits → hidden layers of 16 → 10 logits; f acts on u of every layer but the last.
type network struct {
	layers []*layer
	f      activation
}

const width = 16

// newNetwork draws every weight from N(0, gain/fan-in). The same rng state gives the same weights with and without norm.
func newNetwork(hidden int, gain float64, f activation, norm bool, rng *rand.Rand) *network {
	n := &network{f: f}
	for k := range hidden + 1 {
		in, out := width, width
		if k == 0 {
			in = 64
		}
		if k == hidden {
			out = 10
		}
		l := &layer{w: mat.NewDense(in, out, nil), b: make([]float64, out)}
		l.w.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() * math.Sqrt(gain/float64(in)) }, l.w)
		if norm && k < hidden {
			l.norm = batchnorm.New(out)
		}
		n.layers = append(n.layers, l)
	}
	return n
}

// forward returns the logits of x, rows×10: with the batch's statistics if train, with the running ones if not.
func (n *network) forward(x *mat.Dense, train bool) *mat.Dense {
	for k, l := range n.layers {
		l.in = x
		if k > 0 {
			l.in = mat.DenseCopyOf(x)
			l.in.Apply(func(_, _ int, v float64) float64 { return n.f.value(v) }, x)
		}
		l.z = affine(l.in, l.w, l.b)
		switch {
		case l.norm == nil:
			l.u = l.z
		case train:
			l.u = l.norm.Train(mat.DenseCopyOf(l.z))
		default:
			l.u = l.norm.Infer(mat.DenseCopyOf(l.z))
		}
		x = l.u
	}
	return x
}

// forwardOnBatch normalises with the batch's statistics as training does, and leaves the running ones as they were.
func (n *network) forwardOnBatch(x *mat.Dense) *mat.Dense {
	for _, l := range n.layers {
		if l.norm != nil {
			momentum := l.norm.Momentum
			l.norm.Momentum = 0
			defer func() { l.norm.Momentum = momentum }()
		}
	}
	return n.forward(x, true)
}

// descend takes one step of gradient descent on the mean cross-entropy of the last forward pass, and returns
// ‖∂L/∂z‖ of every hidden layer, the first layer first. With rate 0 it only measures.
func (n *network) descend(labels []int, rate float64) []float64 {
	last := len(n.layers) - 1
	delta := softmaxGradient(n.layers[last].u, labels)
	norms := make([]float64, last)
	for k := last; k >= 0; k-- {
		l := n.layers[k]
		if k < last {
			delta.Apply(func(i, j int, v float64) float64 { return v * n.f.slope(l.u.At(i, j)) }, delta)
		}
		if l.norm != nil {
			dz, dGamma, dBeta := l.norm.Backward(mat.DenseCopyOf(l.z), mat.DenseCopyOf(delta))
			for j := range dGamma {
				l.norm.Gamma[j] -= rate * dGamma[j]
				l.norm.Beta[j] -= rate * dBeta[j]
			}
			delta = dz
		}
		if k < last {
			norms[k] = mat.Norm(delta, 2)
		}
		var dw, before mat.Dense
		before.Mul(delta, l.w.T())
		dw.Mul(l.in.T(), delta)
		dw.Scale(rate, &dw)
		l.w.Sub(l.w, &dw)
		rows, _ := delta.Dims()
		for i := range rows {
			for j, v := range delta.RawRowView(i) {
				l.b[j] -= rate * v
			}
		}
		delta = &before
	}
	return norms
}

// fit runs plain gradient descent for epochs over the rows of train.
func (n *network) fit(train digits.Set, batch, epochs int, rate float64, rng *rand.Rand) {
	for range epochs {
		for _, index := range digits.Batches(train.Len(), batch, rng) {
			rows := train.Rows(index)
			n.forward(rows.X, true)
			n.descend(rows.Labels, rate)
		}
	}
}

// accuracy is the share of the rows whose largest logit is their label's.
func accuracy(logits *mat.Dense, labels []int) float64 {
	right := 0
	for i, label := range labels {
		best := 0
		for j, v := range logits.RawRowView(i) {
			if v > logits.At(i, best) {
				best = j
			}
		}
		if best == label {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

// softmaxGradient is (softmax(logits) − one-hot)/rows.
func softmaxGradient(logits *mat.Dense, labels []int) *mat.Dense {
	d := mat.DenseCopyOf(logits)
	for i, label := range labels {
		row, sum := d.RawRowView(i), 0.0
		for j, v := range row {
			row[j] = math.Exp(v)
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
		row[label]--
	}
	d.Scale(1/float64(len(labels)), d)
	return d
}

// larger is a·x.
func larger(a float64, x *mat.Dense) *mat.Dense {
	var y mat.Dense
	y.Scale(a, x)
	return &y
}

// affine is x·w + b, b added to every row.
func affine(x, w *mat.Dense, b []float64) *mat.Dense {
	var z mat.Dense
	z.Mul(x, w)
	z.Apply(func(_, j int, v float64) float64 { return v + b[j] }, &z)
	return &z
}

// seeded lets two networks draw the same weights.
func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 5)) }

// count returns first, first+1, … last.
func count(first, last int) []float64 {
	var c []float64
	for i := first; i <= last; i++ {
		c = append(c, float64(i))
	}
	return c
}
