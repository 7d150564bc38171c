// Package batchsize is another right answer: it gives each row a weight, draws batches from a pool that shrinks, takes the
// variance from all pairs in exact fractions, and descends by recursion.
package batchsize

import (
	"math/big"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func refuse(bad bool, what string) {
	if bad {
		panic("batchsize: " + what)
	}
}

// Batches fills one batch after the other from a pool that shrinks.
func Batches(n, size int, rng *rand.Rand) [][]int {
	refuse(n < 1, "no examples")
	refuse(size < 1, "no batch is smaller than one example")
	pool := make([]int, n)
	for i := range pool {
		pool[i] = n - 1 - i
	}
	out := make([][]int, (n-1)/size+1)
	for k := range n {
		j := rng.IntN(len(pool))
		if k%size == 0 {
			out[k/size] = make([]int, 0, size)
		}
		out[k/size] = append(out[k/size], pool[j])
		pool[j] = pool[len(pool)-1]
		pool = pool[:len(pool)-1]
	}
	return out
}

// weighted is the gradient under a weight for each row.
func weighted(x *mat.Dense, y, w, weights []float64) []float64 {
	n, d := x.Dims()
	r := mat.NewVecDense(n, nil)
	r.MulVec(x, mat.NewVecDense(d, append([]float64(nil), w...)))
	total := floats.Sum(weights)
	for i := range n {
		if weights[i] == 0 {
			r.SetVec(i, 0)
			continue
		}
		r.SetVec(i, (r.AtVec(i)-y[i])*weights[i]/total)
	}
	g := make([]float64, d, d+4)
	mat.NewVecDense(d, g).MulVec(x.T(), r)
	return g
}

func Gradient(x *mat.Dense, y, w []float64, rows []int) []float64 {
	return EpochGradient(x, y, w, [][]int{rows})
}

func EpochGradient(x *mat.Dense, y, w []float64, batches [][]int) []float64 {
	weights := make([]float64, len(y))
	none := true
	for _, b := range batches {
		for _, i := range b {
			weights[i]++
			none = false
		}
	}
	refuse(none, "no rows")
	return weighted(x, y, w, weights)
}

// NoiseVariance uses Σ(a−b)² over all pairs, which is N²σ².
func NoiseVariance(perExample []float64, size int) float64 {
	n := len(perExample)
	refuse(size > n || size < 1, "no batch of that size")
	s := new(big.Rat)
	for i, a := range perExample {
		for _, b := range perExample[:i] {
			d := new(big.Rat).Sub(new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b))
			s.Add(s, d.Mul(d, d))
		}
	}
	if n > 1 {
		s.Mul(s, big.NewRat(int64(n-size), int64(n)*int64(n)*int64(n-1)*int64(size)))
	}
	f, _ := s.Float64()
	return f
}

func Updates(n, size, epochs int) (u int) {
	for range epochs {
		for left := n; left > 0; left -= size {
			u++
		}
	}
	return
}

func ScaledRate(rate float64, from, to int) float64 {
	return rate / float64(from) * float64(to)
}

func ActivationBytes(batch int, widths []int) int {
	if len(widths) == 0 {
		return 0
	}
	return 8*batch*widths[len(widths)-1] + ActivationBytes(batch, widths[:len(widths)-1])
}

func SGD(x *mat.Dense, y, w []float64, size, epochs int, rate float64, rng *rand.Rand) ([]float64, []float64) {
	refuse(size < 1, "no batch is smaller than one example")
	at := append(make([]float64, 0, 2*len(w)+1), w...)
	if epochs <= 0 {
		return at, nil
	}
	for _, b := range Batches(len(y), size, rng) {
		floats.AddScaled(at, -rate, Gradient(x, y, at, b))
	}
	l := 0.0
	for i := range y {
		r := floats.Dot(mat.Row(nil, i, x), at) - y[i]
		l += .5 * r * r / float64(len(y))
	}
	end, rest := SGD(x, y, at, size, epochs-1, rate, rng)
	return end, append([]float64{l}, rest...)
}
