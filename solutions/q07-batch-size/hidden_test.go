//go:build hidden

package batchsize_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q07-batch-size"
	reference "whyhow/solutions/q07-batch-size"
)

func hiddenNormal(rng *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1 + rng.NormFloat64()
	}
	return out
}

// hiddenData are n rows of d values with their targets and a point w.
func hiddenData(rng *rand.Rand, n, d int) (x *mat.Dense, y, w []float64) {
	return mat.NewDense(n, d, hiddenNormal(rng, n*d)), hiddenNormal(rng, n), hiddenNormal(rng, d)
}

func TestHiddenBatches(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		n, size := 1+rng.IntN(60), 1+rng.IntN(20)
		got, want := learner.Batches(n, size, rng), reference.Batches(n, size, rng)
		call := fmt.Sprintf("Batches(%d, %d, rng)", n, size)
		check.Equal(t, call+" number of batches", len(got), len(want), check.Exact)
		for i := range min(len(got), len(want)) {
			check.Equal(t, fmt.Sprintf("%s size of batch %d", call, i), len(got[i]), len(want[i]), check.Exact)
		}
		order := slices.Concat(got...)
		if n > 20 { // 20! orders
			check.Equal(t, call+" is 0…n−1 in its order", slices.IsSorted(order), false, check.Exact)
		}
		check.Equal(t, call+" indices, sorted", slices.Sorted(slices.Values(order)), slices.Sorted(slices.Values(slices.Concat(want...))), check.Exact)
		less := -rng.IntN(4)
		check.Panics(t, fmt.Sprintf("Batches(%d, %d, rng)", less, size), func() { learner.Batches(less, size, rng) })
		check.Panics(t, fmt.Sprintf("Batches(%d, %d, rng)", n, less), func() { learner.Batches(n, less, rng) })
	}
	check.Independent(t, "Batches(n, size, rng)", learner.Batches, check.Args{25, 4, check.Seed(rng.Uint64())}, check.Args{31, 3, check.Seed(rng.Uint64())})
}

func TestHiddenGradient(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		n, d := 1+rng.IntN(12), 1+rng.IntN(5)
		x, y, w := hiddenData(rng, n, d)
		var rows []int
		for range 1 + rng.IntN(8) { // some twice
			rows = append(rows, rng.IntN(n))
		}
		passed := slices.Clone(rows)
		check.Equal(t, "Gradient(x, y, w, rows)", learner.Gradient(check.Copy(x), check.Copy(y), check.Copy(w), passed), reference.Gradient(x, y, w, rows),
			check.Tol{Rel: 1e-9, Abs: 1e-12}, check.With("x", x), check.With("y", y), check.With("w", w), check.Kept("rows", passed, rows))
		check.Panics(t, "Gradient of no rows", func() { learner.Gradient(x, y, w, nil) })
	}
	args := func(rows ...int) check.Args { x, y, w := hiddenData(rng, 6, 3); return check.Args{x, y, w, rows} }
	check.Independent(t, "Gradient(x, y, w, rows)", learner.Gradient, args(4, 1, 3), args(0, 3, 5))
}

func TestHiddenEpochGradient(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		n, d := 1+rng.IntN(12), 1+rng.IntN(5)
		x, y, w := hiddenData(rng, n, d)
		var batches [][]int // of unequal sizes
		for order := rng.Perm(n); len(order) > 0; {
			size := 1 + rng.IntN(len(order))
			batches, order = append(batches, order[:size:size]), order[size:]
		}
		batches = batches[:1+rng.IntN(len(batches))]                    // not all rows
		batches = append(batches, check.Copy(batches[:rng.IntN(2)])...) // and some twice
		check.Equal(t, "EpochGradient(x, y, w, batches)", learner.EpochGradient(check.Copy(x), check.Copy(y), check.Copy(w), check.Copy(batches)),
			reference.EpochGradient(x, y, w, batches), check.Tol{Rel: 1e-9, Abs: 1e-12}, check.With("batches", fmt.Sprint(batches)))
		check.Panics(t, "EpochGradient of no batches", func() { learner.EpochGradient(x, y, w, nil) })
		check.Panics(t, "EpochGradient of an empty slice of batches", func() { learner.EpochGradient(x, y, w, [][]int{}) })
	}
	args := func(batches ...[]int) check.Args {
		x, y, w := hiddenData(rng, 6, 3)
		return check.Args{x, y, w, batches}
	}
	check.Independent(t, "EpochGradient(x, y, w, batches)", learner.EpochGradient, args([]int{4, 1, 3}, []int{0}), args([]int{0, 3}, []int{5, 2}))
}

func TestHiddenNoiseVariance(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		values := hiddenNormal(rng, 1+rng.IntN(30))
		b, far := 1+rng.IntN(len(values)), []float64{0, 0, 1e6, -1e7}[rng.IntN(4)]
		for i := range values {
			values[i] = math.Round(values[i]*1024)/1024 + far // exact there too
		}
		if rng.IntN(4) == 0 {
			b = len(values)
		}
		passed := check.Copy(values)
		check.Equal(t, fmt.Sprintf("NoiseVariance(perExample, %d)", b), learner.NoiseVariance(passed, b), reference.NoiseVariance(values, b),
			check.Tol{Rel: 1e-8, Abs: 1e-12}, check.Kept("perExample", passed, values))
		more := 1 + rng.IntN(4)
		check.Panics(t, fmt.Sprintf("NoiseVariance of %d values, size %d", len(values), 1-more), func() { learner.NoiseVariance(values, 1-more) })
		check.Panics(t, fmt.Sprintf("NoiseVariance of %d values, size %d", len(values), len(values)+more), func() { learner.NoiseVariance(values, len(values)+more) })
	}
	check.Independent(t, "NoiseVariance(perExample, size)", learner.NoiseVariance, check.Args{hiddenNormal(rng, 5), 2}, check.Args{hiddenNormal(rng, 5), 3})
}

func TestHiddenBudgets(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		n, size, epochs := 1+rng.IntN(2000), 1+rng.IntN(300), rng.IntN(20)
		if rng.IntN(3) == 0 {
			n = size * (1 + rng.IntN(9))
		}
		check.Equal(t, fmt.Sprintf("Updates(%d, %d, %d)", n, size, epochs), learner.Updates(n, size, epochs), reference.Updates(n, size, epochs), check.Exact)
		rate, from, to := rng.Float64(), 1+rng.IntN(512), 1+rng.IntN(512)
		check.Equal(t, fmt.Sprintf("ScaledRate(%v, %d, %d)", rate, from, to), learner.ScaledRate(rate, from, to), reference.ScaledRate(rate, from, to), check.Rel(1e-12))
		var widths []int
		for range rng.IntN(5) {
			widths = append(widths, 1+rng.IntN(900))
		}
		passed := slices.Clone(widths)
		check.Equal(t, fmt.Sprintf("ActivationBytes(%d, %v)", size, widths), learner.ActivationBytes(size, passed), reference.ActivationBytes(size, widths), check.Exact, check.Kept("widths", passed, widths))
	}
}

func TestHiddenSGD(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		// The full batch has one order: the mean of all rows.
		n, d := 1+rng.IntN(12), 1+rng.IntN(5)
		x, y, w := hiddenData(rng, n, d)
		rate, epochs, size := 0.05*rng.Float64(), rng.IntN(5), n+rng.IntN(2)*rng.IntN(9)
		passed := check.Copy(w)
		gotW, gotLosses := learner.SGD(check.Copy(x), check.Copy(y), passed, size, epochs, rate, rng)
		wantW, wantLosses := reference.SGD(x, y, w, size, epochs, rate, rng)
		call := fmt.Sprintf("SGD of %d rows, size %d, %d epochs", n, size, epochs)
		check.Equal(t, call+" w1", gotW, wantW, check.Rel(1e-9), check.With("rate", rate), check.Kept("w", passed, w))
		check.Equal(t, call+" losses", gotLosses, wantLosses, check.Rel(1e-9), check.With("rate", rate))
		less := -rng.IntN(3)
		check.Panics(t, fmt.Sprintf("SGD with size %d", less), func() { learner.SGD(x, y, w, less, rng.IntN(2), rate, rng) })
	}
	for range 40 {
		// Row i moves the weight i alone, and by as much in every batch of that size: the order decides only whose batch is the short last one.
		n := 2 + rng.IntN(12)
		x, y, w := mat.NewDense(n, n, nil), hiddenNormal(rng, n), hiddenNormal(rng, n)
		for i := range n {
			x.Set(i, i, 1)
			y[i] = w[i] + 1 + rng.Float64()
		}
		size, rate := 1+rng.IntN(n), 0.1+0.8*rng.Float64()
		epochs := 1
		if n%size == 0 {
			epochs = 1 + rng.IntN(4)
		}
		w1, losses := learner.SGD(check.Copy(x), check.Copy(y), check.Copy(w), size, epochs, rate, rng)
		call := fmt.Sprintf("SGD of %d rows that share no feature, size %d, %d epochs", n, size, epochs)
		if !check.Equal(t, call+" number of weights and losses", []int{len(w1), len(losses)}, []int{n, epochs}, check.Exact) {
			continue
		}
		left := make([]float64, n)
		want := make([]float64, n)
		for i := range n {
			left[i] = (w1[i] - y[i]) / (w[i] - y[i])
			batch := size
			if i >= n/size*size {
				batch = n % size
			}
			want[i] = math.Pow(1-rate/float64(batch), float64(epochs))
		}
		slices.Sort(left)
		slices.Sort(want)
		check.Equal(t, call+" what is left of each residual, sorted", left, want, check.Rel(1e-9), check.With("rate", rate))
		loss := 0.0
		for i := range n {
			loss += (w1[i] - y[i]) * (w1[i] - y[i]) / 2 / float64(n)
		}
		check.Equal(t, call+" last loss", losses[epochs-1], loss, check.Rel(1e-9), check.With("rate", rate))
	}
	// Of 30 rows another one is left over in some of 8 epochs.
	x, y, w := mat.NewDense(30, 30, nil), make([]float64, 30), make([]float64, 30)
	for i := range 30 {
		x.Set(i, i, 1)
		w[i] = 1
	}
	w1, _ := learner.SGD(x, y, w, 29, 8, 0.5, rng)
	check.Equal(t, "SGD leaves the same row over in every epoch", slices.Min(w1) < 1.01*math.Pow(0.5, 8), false, check.Exact)
	args := func(size, epochs int, rate float64) check.Args {
		x, y, w := hiddenData(rng, 9, 3)
		return check.Args{x, y, w, size, epochs, rate, check.Seed(rng.Uint64())}
	}
	check.Independent(t, "SGD(x, y, w, size, epochs, rate, rng)", learner.SGD, args(2, 3, 0.05), args(4, 2, 0.02))
}
