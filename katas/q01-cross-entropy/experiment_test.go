package crossentropy_test

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	crossentropy "whyhow/katas/q01-cross-entropy"
)

// network is the net of the experiment: 64 pixels, 30 sigmoid units, 10 sigmoid outputs.
type network struct {
	w1, w2 *mat.Dense // in×out
	b1, b2 []float64
}

const pixels, hidden, classes = 64, 30, 10

func newNetwork(weightStd func(fanIn int) float64, biasStd float64, rng *rand.Rand) network {
	return network{
		w1: mat.NewDense(pixels, hidden, check.Normal(rng, pixels*hidden, weightStd(pixels))), b1: check.Normal(rng, hidden, biasStd),
		w2: mat.NewDense(hidden, classes, check.Normal(rng, hidden*classes, weightStd(hidden))), b2: check.Normal(rng, classes, biasStd),
	}
}

// layer writes x·w + b into z.
func layer(z, x, w *mat.Dense, b []float64) {
	z.Mul(x, w)
	rows, _ := z.Dims()
	for i := range rows {
		floats.Add(z.RawRowView(i), b)
	}
}

// train runs plain SGD on a copy of start, with the learner's Sigmoid in both layers and the learner's slope as the error of the
// outputs: the loss is summed over the 10 outputs and averaged over the batch of 10. It returns the accuracy on val after training.
func train(start network, slope func(z, y float64) float64, rate float64, epochs int, set, val digits.Set, rng *rand.Rand) float64 {
	const batch = 10
	n := network{w1: mat.DenseCopyOf(start.w1), w2: mat.DenseCopyOf(start.w2), b1: check.Copy(start.b1), b2: check.Copy(start.b2)}
	x, h, delta2 := mat.NewDense(batch, pixels, nil), mat.NewDense(batch, hidden, nil), mat.NewDense(batch, classes, nil)
	delta1, g1, g2 := mat.NewDense(batch, hidden, nil), mat.NewDense(pixels, hidden, nil), mat.NewDense(hidden, classes, nil)
	for range epochs {
		for _, rows := range digits.Batches(set.Len(), batch, rng) {
			for i, row := range rows {
				x.SetRow(i, set.X.RawRowView(row))
			}
			layer(h, x, n.w1, n.b1)
			squash(h)
			layer(delta2, h, n.w2, n.b2)
			for i, row := range rows {
				d := delta2.RawRowView(i)
				for k, z := range d {
					y := 0.
					if k == set.Labels[row] {
						y = 1
					}
					d[k] = slope(z, y) / batch
				}
			}
			delta1.Mul(delta2, n.w2.T())
			for i := range batch {
				d := delta1.RawRowView(i)
				for j, a := range h.RawRowView(i) {
					d[j] *= a * (1 - a)
				}
			}
			g1.Mul(x.T(), delta1)
			g2.Mul(h.T(), delta2)
			floats.AddScaled(n.w1.RawMatrix().Data, -rate, g1.RawMatrix().Data)
			floats.AddScaled(n.w2.RawMatrix().Data, -rate, g2.RawMatrix().Data)
			for i := range batch {
				floats.AddScaled(n.b1, -rate, delta1.RawRowView(i))
				floats.AddScaled(n.b2, -rate, delta2.RawRowView(i))
			}
		}
	}
	return n.accuracy(val)
}

func squash(z *mat.Dense) {
	for i, v := range z.RawMatrix().Data {
		z.RawMatrix().Data[i] = crossentropy.Sigmoid(v)
	}
}

func (n network) accuracy(set digits.Set) float64 {
	var h, out mat.Dense
	layer(&h, set.X, n.w1, n.b1)
	squash(&h)
	layer(&out, &h, n.w2, n.b2)
	right := 0
	for i, label := range set.Labels {
		if floats.MaxIdx(out.RawRowView(i)) == label {
			right++
		}
	}
	return float64(right) / float64(set.Len())
}
