//go:build hidden

package generalization_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q16-generalization-gap"
	reference "whyhow/solutions/q16-generalization-gap"
)

func hiddenSorted(parts ...[]int) []int {
	return slices.Sorted(slices.Values(slices.Concat(parts...)))
}

func hiddenLengths(parts ...[]int) (out []int) {
	for _, part := range parts {
		out = append(out, len(part))
	}
	return out
}

func hiddenMatrix(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

func TestHiddenSplit(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		n, validation := rng.IntN(60), []float64{0, 1, 0.5, rng.Float64(), rng.Float64()}[rng.IntN(5)]
		train, val := learner.Split(n, validation, rng)
		wantTrain, wantVal := reference.Split(n, validation, rng)
		call := fmt.Sprintf("Split(%d, %v, rng)", n, validation)
		check.Equal(t, call+" sizes", hiddenLengths(train, val), hiddenLengths(wantTrain, wantVal), check.Exact)
		check.Equal(t, call+" indices, sorted", hiddenSorted(train, val), hiddenSorted(wantTrain, wantVal), check.Exact)
		less := rng.ExpFloat64() + 1e-3
		for _, bad := range []float64{-less, 1 + less, math.NaN()} {
			check.Panics(t, fmt.Sprintf("Split(%d, %v, rng)", n, bad), func() { learner.Split(n, bad, rng) })
		}
		check.Panics(t, fmt.Sprintf("Split(%d, %v, rng)", -1-n, validation), func() { learner.Split(-1-n, validation, rng) })

		n = 2 + rng.IntN(60)
		k := 2 + rng.IntN(n-1)
		folds, want := learner.KFold(n, k, rng), reference.KFold(n, k, rng)
		call = fmt.Sprintf("KFold(%d, %d, rng)", n, k)
		check.Equal(t, call+" sizes, sorted", hiddenSorted(hiddenLengths(folds...)), hiddenSorted(hiddenLengths(want...)), check.Exact)
		check.Equal(t, call+" indices, sorted", hiddenSorted(folds...), hiddenSorted(want...), check.Exact)
		for _, bad := range []int{1 - rng.IntN(3), n + 1 + rng.IntN(3)} {
			check.Panics(t, fmt.Sprintf("KFold(%d, %d, rng)", n, bad), func() { learner.KFold(n, bad, rng) })
		}
		a, b := 3*rng.Float64(), 3*rng.Float64()
		check.Equal(t, fmt.Sprintf("Gap(%v, %v)", a, b), learner.Gap(a, b), reference.Gap(a, b), check.Tol{Rel: 1e-9, Abs: 1e-12})
	}
	// A run of neighbours among the held out is one of 41 of (60 over 20) ways.
	train, val := learner.Split(60, 1.0/3, rng)
	for name, part := range map[string][]int{"train": train, "val": val} {
		s := hiddenSorted(part)
		check.Equal(t, "Split(60, 1/3, rng) "+name+" are neighbours", len(s) > 0 && s[len(s)-1]-s[0] == len(s)-1, false, check.Exact)
	}
	for i, fold := range learner.KFold(60, 3, rng) {
		s := hiddenSorted(fold)
		check.Equal(t, fmt.Sprintf("KFold(60, 3, rng) fold %d are neighbours", i), len(s) > 0 && s[len(s)-1]-s[0] == len(s)-1, false, check.Exact)
	}
	check.Independent(t, "Split(n, validation, rng)", learner.Split, check.Args{40, 0.3, check.Seed(rng.Uint64())}, check.Args{42, 0.5, check.Seed(rng.Uint64())})
	check.Independent(t, "KFold(n, k, rng)", learner.KFold, check.Args{39, 4, check.Seed(rng.Uint64())}, check.Args{41, 3, check.Seed(rng.Uint64())})
}

func TestHiddenDropout(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		rows, columns, drop := 1+rng.IntN(8), 1+rng.IntN(8), 0.9*rng.Float64()*float64(rng.IntN(5)+3)/7
		if rng.IntN(5) == 0 {
			drop = 0
		}
		x, dy := hiddenMatrix(rng, rows, columns), hiddenMatrix(rng, rows, columns)
		x.Set(rng.IntN(rows), rng.IntN(columns), 0)
		passed := check.Copy(x)
		y, mask := learner.Dropout(passed, drop, true, rng)
		// Dropout is linear in x for one mask, with the gradient's coefficients.
		check.Equal(t, "Dropout(x, drop, true, rng) y for its mask", y, reference.DropoutBackward(x, mask, drop), check.Rel(1e-9), check.With("drop", drop), check.Kept("x", passed, x))
		check.Equal(t, "the mask has other values than 0 and 1", slices.ContainsFunc(mat.DenseCopyOf(mask).RawMatrix().Data, func(m float64) bool { return m != 0 && m != 1 }), false, check.Exact)
		y, none := learner.Dropout(passed, drop, false, rng)
		check.Equal(t, "Dropout(x, drop, false, rng) y", y, x, check.Exact, check.With("drop", drop), check.Kept("x", passed, x))
		check.Equal(t, "Dropout(x, drop, false, rng) mask is nil", none == nil, true, check.Exact)
		_, mask = reference.Dropout(x, drop, true, rng)
		passed, passedMask := check.Copy(dy), check.Copy(mask)
		check.Equal(t, "DropoutBackward(dy, mask, drop)", learner.DropoutBackward(passed, passedMask, drop), reference.DropoutBackward(dy, mask, drop), check.Rel(1e-9), check.With("drop", drop),
			check.Kept("dy", passed, dy), check.Kept("mask", passedMask, mask))
		for _, bad := range []float64{1 + rng.Float64(), 1, -0.01 - rng.Float64(), math.NaN()} {
			training := rng.IntN(2) == 0
			check.Panics(t, fmt.Sprintf("Dropout(x, %v, %t, rng)", bad, training), func() { learner.Dropout(x, bad, training, rng) })
			check.Panics(t, fmt.Sprintf("DropoutBackward(dy, mask, %v)", bad), func() { learner.DropoutBackward(dy, mask, bad) })
		}
		for _, bad := range []*mat.Dense{hiddenMatrix(rng, rows+1, columns), hiddenMatrix(rng, rows, columns+1)} {
			check.Panics(t, "DropoutBackward of a larger mask", func() { learner.DropoutBackward(dy, bad, drop) })
			check.Panics(t, "DropoutBackward of a smaller mask", func() { learner.DropoutBackward(bad, mask, drop) })
		}
	}
	for range 3 { // Of 10,000 values a share of drop ± 0.005 is dropped; 0.035 is seven times that
		drop := 0.1 + 0.8*rng.Float64()
		_, mask := learner.Dropout(mat.NewDense(100, 100, nil), drop, true, rng)
		check.Equal(t, fmt.Sprintf("Dropout(x 100×100, %v, true, rng) dropped share", drop), 1-mat.Sum(mask)/10_000, drop, check.Abs(0.035))
	}
	args := func(drop float64, training bool) check.Args {
		return check.Args{hiddenMatrix(rng, 6, 7), drop, training, check.Seed(rng.Uint64())}
	}
	check.Independent(t, "Dropout(x, drop, true, rng)", learner.Dropout, args(0.5, true), args(0.25, true))
	seed := check.Seed(rng.Uint64())
	check.Independent(t, "Dropout(x, drop, false, rng)", learner.Dropout, check.Args{hiddenMatrix(rng, 4, 5), 0.5, false, seed}, check.Args{hiddenMatrix(rng, 4, 5), 0.5, false, seed})
}

func TestHiddenShift(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		side, dx, dy := 1+rng.IntN(9), rng.IntN(23)-11, rng.IntN(23)-11
		if rng.IntN(2) == 0 {
			dx, dy = dx/4, dy/4
		}
		image := check.Normal(rng, side*side, 1)
		passed := check.Copy(image)
		check.Equal(t, fmt.Sprintf("Shift(image, %d, %d, %d)", side, dx, dy), learner.Shift(passed, side, dx, dy), reference.Shift(image, side, dx, dy), check.Exact, check.Kept("image", passed, image))
		check.Panics(t, fmt.Sprintf("Shift of %d values, side %d", len(image)-1, side), func() { learner.Shift(image[1:], side, dx, dy) })
		check.Panics(t, fmt.Sprintf("Shift of %d values, side %d", len(image)+1, side), func() { learner.Shift(append(check.Copy(image), 1), side, dx, dy) })
	}
	check.Independent(t, "Shift(image, side, 0, 0)", learner.Shift, check.Args{check.Normal(rng, 16, 1), 4, 0, 0}, check.Args{check.Normal(rng, 16, 1), 4, 0, 0})
	check.Independent(t, "Shift(image, side, dx, dy)", learner.Shift, check.Args{check.Normal(rng, 16, 1), 4, 1, -1}, check.Args{check.Normal(rng, 16, 1), 4, 2, 0})
}

func TestHiddenDecayStep(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		n := rng.IntN(15)
		w, grad, rate, decay := check.Normal(rng, n, 1), check.Normal(rng, n, 1), rng.Float64(), rng.Float64()*float64(rng.IntN(4))
		got, want, passed := check.Copy(w), check.Copy(w), check.Copy(grad)
		learner.DecayStep(got, passed, rate, decay)
		reference.DecayStep(want, grad, rate, decay)
		check.Equal(t, "w after DecayStep(w, grad, rate, decay)", got, want, check.Tol{Rel: 1e-9, Abs: 1e-12}, check.With("rate", rate), check.With("decay", decay), check.Kept("grad", passed, grad))
		more := 1 + rng.IntN(3)
		check.Panics(t, "DecayStep of too few gradients", func() { learner.DecayStep(make([]float64, n+more), grad, rate, decay) })
		check.Panics(t, "DecayStep of too many gradients", func() { learner.DecayStep(w, make([]float64, n+more), rate, decay) })
	}
}

func TestHiddenEarlyStopping(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		patience := rng.IntN(5)
		got, want := learner.EarlyStopping{Patience: patience}, reference.EarlyStopping{Patience: patience}
		check.Equal(t, "Best() before the first loss", got.Best(), want.Best(), check.Exact)
		var losses []float64
		for range 20 {
			loss := float64(rng.IntN(8)) - 3 // ties, and losses below 0
			switch rng.IntN(10) {
			case 0, 1:
				loss = math.NaN()
			case 2:
				loss = math.Inf(1)
			case 3:
				loss -= 1e-9
			}
			losses = append(losses, loss)
			gotImproved, gotStop := got.Observe(loss)
			wantImproved, wantStop := want.Observe(loss)
			check.Equal(t, "Observe improved, stop", []bool{gotImproved, gotStop}, []bool{wantImproved, wantStop}, check.Exact,
				check.With("losses", losses), check.With("patience", patience))
			check.Equal(t, "Best()", got.Best(), want.Best(), check.Exact, check.With("losses", losses))
		}
	}
	watch := func(patience int, losses []float64) (all []bool) {
		e := learner.EarlyStopping{Patience: patience}
		for _, loss := range losses {
			improved, stop := e.Observe(loss)
			all = append(all, improved, stop)
		}
		return all
	}
	check.Independent(t, "EarlyStopping(patience, losses)", watch, check.Args{3, []float64{9, 7, 8, 8, 7, 6}}, check.Args{2, []float64{4, 5, 5, 3, 6, 7}})
}
