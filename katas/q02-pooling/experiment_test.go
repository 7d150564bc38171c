package pooling_test

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/tensor"
)

// rolled returns values moved by places to the right on a circle.
func rolled(values []float64, by int) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[(i+by)%len(values)] = v
	}
	return out
}

// shifted returns x moved by columns to the right; zeros come in from the left.
func shifted(x tensor.CHW, columns int) tensor.CHW {
	y := tensor.NewCHW(x.C, x.H, x.W, nil)
	for row := range x.C * x.H {
		copy(y.Data[row*x.W+columns:(row+1)*x.W], x.Data[row*x.W:])
	}
	return y
}

// feature is what is kept of a digit.
type feature struct {
	name string
	of   func(x tensor.CHW) []float64
}

// moves is the distance between the features of an image and of its shifted copy, relative to the former's length, averaged over a set.
func (f feature) moves(set digits.Set, columns int) float64 {
	sum := 0.0
	for i := range set.Len() {
		x := digits.Image(set.X.RawRowView(i))
		from := f.of(x)
		sum += floats.Distance(from, f.of(shifted(x, columns)), 2) / floats.Norm(from, 2)
	}
	return sum / float64(set.Len())
}

// nearest is the share of test whose nearest neighbour in train, by the features, has the same label.
func (f feature) nearest(train, test digits.Set) float64 {
	known := make([][]float64, train.Len())
	for i := range known {
		known[i] = f.of(digits.Image(train.X.RawRowView(i)))
	}
	right := 0
	for i := range test.Len() {
		v := f.of(digits.Image(test.X.RawRowView(i)))
		best, label := math.Inf(1), -1
		for k, u := range known {
			if d := floats.Distance(u, v, 2); d < best {
				best, label = d, train.Labels[k]
			}
		}
		if label == test.Labels[i] {
			right++
		}
	}
	return float64(right) / float64(test.Len())
}

// imitation is a 2×2 convolution of stride 2 with a bias, and its error after every step.
type imitation struct {
	w      tensor.OIHW
	bias   []float64
	errors []float64 // mean squared error on fresh windows ÷ variance of what it should give
}

func (l imitation) left() float64 { return l.errors[len(l.errors)-1] }

// imitate trains a convolution to give what pool gives: weights N(0, 1/fan-in), windows of N(0, 1), batches of 50, squared loss, plain
// SGD at rate 0.1. A convolution of stride 2 with a 2×2 kernel sees one window at a time, so one window is one example.
func imitate(pool func(tensor.CHW) tensor.CHW, channels, steps int, rng *rand.Rand) imitation {
	const rate, batch = 0.1, 50
	fanIn := channels * 4
	l := imitation{w: tensor.NewOIHW(channels, channels, 2, 2, nil), bias: make([]float64, channels)}
	for i := range l.w.Data {
		l.w.Data[i] = rng.NormFloat64() / math.Sqrt(float64(fanIn))
	}
	miss := func(x, y tensor.CHW, o int) float64 {
		return floats.Dot(l.w.Data[o*fanIn:(o+1)*fanIn], x.Data) + l.bias[o] - y.Data[o]
	}
	fresh := make([]tensor.CHW, 2000)
	wanted := make([]tensor.CHW, len(fresh))
	var values []float64
	for i := range fresh {
		fresh[i] = normal(channels, 2, 2, rng)
		wanted[i] = pool(fresh[i].Clone())
		values = append(values, wanted[i].Data...)
	}
	variance := stat.PopVariance(values, nil)
	grad, biasGrad := make([]float64, len(l.w.Data)), make([]float64, channels)
	for range steps {
		clear(grad)
		clear(biasGrad)
		for range batch {
			x := normal(channels, 2, 2, rng)
			y := pool(x.Clone())
			for o := range channels {
				slope := 2 * miss(x, y, o) / batch
				floats.AddScaled(grad[o*fanIn:(o+1)*fanIn], slope, x.Data)
				biasGrad[o] += slope
			}
		}
		floats.AddScaled(l.w.Data, -rate, grad)
		floats.AddScaled(l.bias, -rate, biasGrad)
		squares := 0.0
		for i, x := range fresh {
			for o := range channels {
				squares += math.Pow(miss(x, wanted[i], o), 2)
			}
		}
		l.errors = append(l.errors, squares/float64(len(values))/variance)
	}
	return l
}
