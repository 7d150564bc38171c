// Package singlerelu keeps the perceptron as the number of corrections at each row, its dual form.
package singlerelu

import (
	"fmt"
	"iter"
	"math"
	"math/big"

	"gonum.org/v1/gonum/mat"
)

func mismatch(n, m int) { panic(fmt.Sprintf("singlerelu: %d and %d do not match", n, m)) }

func pairs(w, x []float64) iter.Seq2[float64, float64] {
	if len(w) != len(x) {
		mismatch(len(w), len(x))
	}
	return func(yield func(float64, float64) bool) {
		for i := len(w) - 1; i >= 0; i-- {
			if !yield(w[i], x[i]) {
				return
			}
		}
	}
}

func Unit(w []float64, b float64, x []float64) float64 {
	s := 0.0
	for p, q := range pairs(w, x) {
		s = math.FMA(p, q, s)
	}
	return (s + b + math.Abs(s+b)) / 2
}

func Classify(w []float64, b, threshold float64, x []float64) bool {
	h := Unit(w, b, x)
	return math.Signbit(threshold - h)
}

func AsLinear(w []float64, b, threshold float64) (w1 []float64, b1 float64) {
	w1 = make([]float64, len(w))
	if math.Signbit(threshold) && threshold != 0 {
		b1 = math.SmallestNonzeroFloat64
		return
	}
	for i := range w1 {
		w1[i] = w[i] * 0.5
	}
	b1 = b/2 - threshold/2
	return
}

func AsHalfspace(w []float64, b, v, c float64) (w1 []float64, b1 float64) {
	switch {
	case v == 0:
		return make([]float64, len(w)), c
	case v > 0:
		return AsLinear(w, b, -c/v)
	case c <= 0:
		return make([]float64, len(w)), -math.MaxFloat64
	}
	w1, b1 = AsLinear(w, b, c/-v)
	for i := range w1 {
		w1[i] = -w1[i]
	}
	return w1, -b1
}

func Perceptron(x *mat.Dense, labels []bool, epochs int) (w []float64, b float64, separated bool) {
	n, d := x.Dims()
	if len(labels) != n {
		mismatch(len(labels), n)
	}
	a := make([]float64, n) // corrections at each row
	sign := func(i int) float64 {
		if labels[i] {
			return 1
		}
		return -1
	}
	var gram mat.Dense
	gram.Mul(x, x.T())
	for e := 0; e < epochs && !separated; e++ {
		separated = true
		for i := range n {
			z := 0.0
			for j := range n {
				z += a[j] * sign(j) * (gram.At(i, j) + 1)
			}
			if sign(i)*z <= 0 {
				a[i]++
				separated = false
			}
		}
	}
	w = make([]float64, d)
	for j := range n {
		b += a[j] * sign(j)
		for k := range d {
			w[k] += a[j] * sign(j) * x.At(j, k)
		}
	}
	return
}

func Identity(z float64) float64 {
	h := [2]float64{}
	for i, s := range []float64{1, -1} {
		h[i] = Unit([]float64{s}, 0, []float64{z})
	}
	return h[0] + -1*h[1]
}

func Disagree() []float64 {
	return []float64{-1e308, 0, -4}
}

func XORNet() (w1 *mat.Dense, b1, w2 []float64, b2 float64) {
	// 1 − |x₀ + x₁ − 1|
	return mat.NewDense(2, 2, []float64{1, -1, 1, -1}), []float64{-1, 1}, []float64{-1, -1}, 1
}

func Regions(w, b []float64) int {
	if len(w) != len(b) {
		mismatch(len(w), len(b))
	}
	n := 1
	for i := range w {
		if w[i] == 0 {
			continue
		}
		fresh := true
		for j := range i {
			if w[j] != 0 && new(big.Float).SetFloat64(-b[j]/w[j]).Cmp(new(big.Float).SetFloat64(-b[i]/w[i])) == 0 {
				fresh = false
			}
		}
		if fresh {
			n++
		}
	}
	return n
}
