package mobile_test

import (
	"math"
	"math/rand/v2"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/digits"
	mobile "whyhow/katas/q17-mobile-speed"
)

// network is 64 pixels → 32 ReLU units → 10 logits. Every step of training is the learner's MaskedStep.
type network struct {
	w, mask [2]*mat.Dense // in×out
	b       [2][]float64
}

// newNetwork draws weights and biases as PyTorch's nn.Linear does, uniformly in ±1/√fan-in; nothing is masked.
func newNetwork(rng *rand.Rand) *network {
	n := &network{}
	for k, size := range [][2]int{{64, 32}, {32, 10}} {
		bound := 1 / math.Sqrt(float64(size[0]))
		draw := func() float64 { return bound * (2*rng.Float64() - 1) }
		n.w[k] = mat.NewDense(size[0], size[1], nil)
		n.w[k].Apply(func(_, _ int, _ float64) float64 { return draw() }, n.w[k])
		n.b[k] = make([]float64, size[1])
		for j := range n.b[k] {
			n.b[k][j] = draw()
		}
		n.mask[k] = mobile.PruneMask(n.w[k], 0)
	}
	return n
}

func (n *network) clone() *network {
	c := &network{}
	for k := range n.w {
		c.w[k], c.mask[k], c.b[k] = mat.DenseCopyOf(n.w[k]), mat.DenseCopyOf(n.mask[k]), append([]float64(nil), n.b[k]...)
	}
	return c
}

// prune masks the given share of the weights of each layer, and sets them to 0 by a step of rate 0. Biases stay.
func (n *network) prune(sparsity float64) {
	for k, w := range n.w {
		rows, cols := w.Dims()
		n.mask[k] = mobile.PruneMask(w, sparsity)
		mobile.MaskedStep(w, mat.NewDense(rows, cols, nil), n.mask[k], 0)
	}
}

// sparsity is the share of the weights that are 0.
func (n *network) sparsity() float64 {
	gone, all := 0, 0
	for _, w := range n.w {
		rows, cols := w.Dims()
		gone, all = gone+zeros(w), all+rows*cols
	}
	return float64(gone) / float64(all)
}

// fit is plain SGD on the mean cross-entropy, batch 10, rate 0.1.
func (n *network) fit(train digits.Set, epochs int, rng *rand.Rand) {
	const size, rate = 10, 0.1
	x, hidden, delta, below := mat.NewDense(size, 64, nil), mat.NewDense(size, 32, nil), mat.NewDense(size, 10, nil), mat.NewDense(size, 32, nil)
	grad := [2]*mat.Dense{mat.NewDense(64, 32, nil), mat.NewDense(32, 10, nil)}
	for range epochs {
		for _, index := range digits.Batches(train.Len(), size, rng) { // 300 images: every batch is full
			for i, row := range index {
				copy(x.RawRowView(i), train.X.RawRowView(row))
			}
			n.forward(x, hidden, delta)
			for i, row := range index {
				d := delta.RawRowView(i)
				sum := floats.LogSumExp(d)
				for k := range d {
					d[k] = math.Exp(d[k]-sum) / size
				}
				d[train.Labels[row]] -= 1. / size
			}
			below.Mul(delta, n.w[1].T())
			for i, h := range hidden.RawMatrix().Data {
				if h <= 0 {
					below.RawMatrix().Data[i] = 0
				}
			}
			grad[1].Mul(hidden.T(), delta)
			grad[0].Mul(x.T(), below)
			for k, d := range []*mat.Dense{below, delta} {
				for i := range size {
					floats.AddScaled(n.b[k], -rate, d.RawRowView(i))
				}
				mobile.MaskedStep(n.w[k], grad[k], n.mask[k], rate)
			}
		}
	}
}

func (n *network) forward(x, hidden, logits *mat.Dense) {
	rows, _ := x.Dims()
	hidden.Mul(x, n.w[0])
	for i := range rows {
		h := hidden.RawRowView(i)
		for j := range h {
			h[j] = max(0, h[j]+n.b[0][j])
		}
	}
	logits.Mul(hidden, n.w[1])
	for i := range rows {
		floats.Add(logits.RawRowView(i), n.b[1])
	}
}

func (n *network) accuracy(s digits.Set) float64 {
	var hidden, logits mat.Dense
	n.forward(s.X, &hidden, &logits)
	right := 0
	for i, label := range s.Labels {
		if floats.MaxIdx(logits.RawRowView(i)) == label {
			right++
		}
	}
	return float64(right) / float64(s.Len())
}

// throughInt8 replaces the weights of each layer by what is left of them after Quantize and Dequantize, and returns the largest
// error in units of a level.
func (n *network) throughInt8() (worst float64) {
	for _, w := range n.w {
		data := w.RawMatrix().Data
		q, scale, zero := mobile.Quantize(append([]float64(nil), data...))
		back := mobile.Dequantize(q, scale, zero)
		worst = max(worst, floats.Distance(back, data, math.Inf(1))/scale)
		copy(data, back)
	}
	return worst
}

// pruned is a size×size matrix of normal weights without the smallest ones of each row, dense and as CSR. Row by row, a PruneMask that compares every two
// weights has time enough too.
func pruned(size int, sparsity float64, rng *rand.Rand) (*mat.Dense, mobile.CSR) {
	w := mat.NewDense(size, size, nil)
	w.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, w)
	for i := range size {
		row := w.Slice(i, i+1, 0, size).(*mat.Dense)
		row.MulElem(row, mobile.PruneMask(row, sparsity))
	}
	return w, mobile.Compress(w)
}

// race is one product of a matrix and a vector in two forms, and the time that each has taken.
type race struct {
	w          *mat.Dense
	m          mobile.CSR
	x          []float64
	y          *mat.VecDense
	dense, csr time.Duration // of the fastest round
}

func newRace(size int, sparsity float64, rng *rand.Rand) *race {
	w, m := pruned(size, sparsity, rng)
	r := &race{w: w, m: m, x: make([]float64, size), y: mat.NewVecDense(size, nil), dense: math.MaxInt64, csr: math.MaxInt64}
	for i := range r.x {
		r.x[i] = rng.NormFloat64()
	}
	return r
}

// round times both products once and keeps the shorter time of each: what else the machine does can only make it longer.
func (r *race) round() {
	start := time.Now()
	r.y.MulVec(r.w, mat.NewVecDense(len(r.x), r.x))
	middle := time.Now()
	r.m.MulVec(r.x)
	r.dense, r.csr = min(r.dense, middle.Sub(start)), min(r.csr, time.Since(middle))
}
