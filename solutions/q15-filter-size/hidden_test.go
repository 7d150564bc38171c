//go:build hidden

package filtersize_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q15-filter-size"
	reference "whyhow/solutions/q15-filter-size"
)

func hiddenKernel(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// hiddenSum is the rows×columns sum of kernels that are a column times a row.
func hiddenSum(rows, columns int, parts ...reference.Separable) *mat.Dense {
	out := mat.NewDense(rows, columns, nil)
	for _, p := range parts {
		out.RankOne(out, 1, mat.NewVecDense(rows, p.Col), mat.NewVecDense(columns, p.Row))
	}
	return out
}

// hiddenThin is a random column times a random row.
func hiddenThin(rng *rand.Rand, rows, columns int) *mat.Dense {
	col := check.Normal(rng, rows, 1)
	if rows > 1 && rng.IntN(3) == 0 {
		col[0] *= 1e-17
	}
	return hiddenSum(rows, columns, reference.Separable{Col: col, Row: check.Normal(rng, columns, 1)})
}

// hiddenFits says whether a column and a row are those of a rows×columns kernel.
func hiddenFits(t *testing.T, call string, s learner.Separable, rows, columns int) bool {
	t.Helper()
	return check.Equal(t, "the lengths of Col and Row of "+call, []int{len(s.Col), len(s.Row)}, []int{rows, columns}, check.Exact)
}

func TestHiddenStackField(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		kernel, layers, field := 1+rng.IntN(11), rng.IntN(8), rng.IntN(40)-2
		check.Equal(t, fmt.Sprintf("StackField(%d, %d)", kernel, layers), learner.StackField(kernel, layers), reference.StackField(kernel, layers), check.Exact)
		want, wantErr := reference.LayersFor(field, kernel)
		got, err := learner.LayersFor(field, kernel)
		call := fmt.Sprintf("LayersFor(%d, %d)", field, kernel)
		if wantErr != nil {
			check.Fails(t, call, err)
		} else if check.Equal(t, call+" returns an error", err != nil, false, check.Exact) {
			check.Equal(t, call, got, want, check.Exact)
		}
		less := 1 + rng.IntN(3)
		check.Panics(t, fmt.Sprintf("StackField(%d, %d)", 1-less, layers), func() { learner.StackField(1-less, layers) })
		check.Panics(t, fmt.Sprintf("StackField(%d, %d)", kernel, -less), func() { learner.StackField(kernel, -less) })
	}
}

func TestHiddenParams(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		kernel, layers, in, channels, h, w := 1+rng.IntN(11), 1+rng.IntN(8), 1+rng.IntN(4000), 1+rng.IntN(4000), 1+rng.IntN(2000), 1+rng.IntN(2000)
		check.Equal(t, fmt.Sprintf("Params(%d, %d, %d, %d)", kernel, layers, in, channels), learner.Params(kernel, layers, in, channels), reference.Params(kernel, layers, in, channels), check.Exact)
		check.Equal(t, fmt.Sprintf("Activations(%d, %d, %d, %d)", layers, h, w, channels), learner.Activations(layers, h, w, channels), reference.Activations(layers, h, w, channels), check.Exact)
	}
}

func TestHiddenCheapest(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		field, in, channels := 3+2*rng.IntN(15), 1+rng.IntN(80), 1+rng.IntN(80)
		if rng.IntN(3) == 0 {
			in, channels = 1+rng.IntN(80), 1+rng.IntN(3) // few channels: large kernels pay, and some stacks cost the same
		}
		if m := 1 + rng.IntN(9); rng.IntN(3) == 0 { // one large kernel costs what two or three of 3×3 do
			field, in, channels = 5, 9*m, 16*m
			if rng.IntN(2) == 0 {
				field, channels = 7, 20*m
			}
		}
		kernel, layers := learner.Cheapest(field, in, channels)
		wantKernel, wantLayers := reference.Cheapest(field, in, channels)
		check.Equal(t, fmt.Sprintf("Cheapest(%d, %d, %d)", field, in, channels), []int{kernel, layers}, []int{wantKernel, wantLayers}, check.Exact)
		for _, bad := range []int{field - 1, 1 - 2*rng.IntN(9)} {
			check.Panics(t, fmt.Sprintf("Cheapest(%d, %d, %d)", bad, in, channels), func() { learner.Cheapest(bad, in, channels) })
		}
	}
}

func TestHiddenCompose(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		a, b := hiddenKernel(rng, 1+rng.IntN(4), 1+rng.IntN(4)), hiddenKernel(rng, 1+rng.IntN(4), 1+rng.IntN(4))
		passed, passedB := check.Copy(a), check.Copy(b)
		check.Equal(t, "Compose(a, b)", learner.Compose(passed, passedB), reference.Compose(a, b), check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("a", passed, a), check.Kept("b", passedB, b))
	}
	pixel := mat.NewDense(1, 1, check.Normal(rng, 1, 1))
	check.Independent(t, "Compose(a, b)", learner.Compose, check.Args{hiddenKernel(rng, 2, 3), hiddenKernel(rng, 3, 2)}, check.Args{hiddenKernel(rng, 2, 3), hiddenKernel(rng, 3, 2)})
	check.Independent(t, "Compose(a, pixel)", learner.Compose, check.Args{hiddenKernel(rng, 2, 3), pixel}, check.Args{hiddenKernel(rng, 2, 3), pixel})
	check.Independent(t, "Compose(pixel, b)", learner.Compose, check.Args{pixel, hiddenKernel(rng, 2, 3)}, check.Args{pixel, hiddenKernel(rng, 2, 3)})
}

func TestHiddenSeparate(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 150 {
		rows, columns := 1+rng.IntN(5), 1+rng.IntN(5)
		scale := []float64{1, 1e-8, 1e8, 0}[rng.IntN(4)]
		thin, other := hiddenThin(rng, rows, columns), hiddenThin(rng, rows, columns)
		size := mat.Norm(thin, 2)
		thin.Scale(1/size, thin)
		other.Scale(1/mat.Norm(other, 2), other)
		other.Scale([]float64{0, 1e-13, 4e-10}[rng.IntN(3)], other) // rounding makes no kernel thick
		var k mat.Dense
		k.Add(thin, other)
		k.Scale(scale, &k)
		passed := check.Copy(&k)
		s, err := learner.Separate(passed)
		call := fmt.Sprintf("Separate of a %d×%d column times a row", rows, columns)
		if check.Equal(t, call+" returns an error", err != nil, false, check.Exact, check.Kept("k", passed, &k)) && hiddenFits(t, call, s, rows, columns) {
			check.Equal(t, "Col·Row of "+call, hiddenSum(rows, columns, reference.Separable(s)), &k, check.Abs(1e-8*scale), check.Kept("k", passed, &k))
		}
	}
	for range 100 {
		rows, columns := 2+rng.IntN(4), 2+rng.IntN(4)
		k := hiddenKernel(rng, rows, columns)
		_, err := learner.Separate(check.Copy(k))
		check.Fails(t, fmt.Sprintf("Separate of a random %d×%d kernel", rows, columns), err)
		// Two terms that are perpendicular, the second a millionth of the first.
		i, j := rng.IntN(rows), rng.IntN(columns)
		k = mat.NewDense(rows, columns, nil)
		k.Set(i, j, 1+rng.Float64())
		k.Set((i+1)%rows, (j+1)%columns, 1e-6)
		_, err = learner.Separate(check.Copy(k))
		check.Fails(t, fmt.Sprintf("Separate of a %d×%d kernel of two parts", rows, columns), err)
	}
	check.Independent(t, "Separate(k)", learner.Separate, check.Args{hiddenThin(rng, 3, 4)}, check.Args{hiddenThin(rng, 3, 4)}, check.AnyAnswer())
}

func TestHiddenLowRank(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 150 {
		rows, columns := 1+rng.IntN(5), 1+rng.IntN(5)
		least := min(rows, columns)
		k, terms := hiddenKernel(rng, rows, columns), rng.IntN(least+1)
		if rng.IntN(4) == 0 {
			k = hiddenThin(rng, rows, columns) // the second term is 0
		}
		passed := check.Copy(k)
		call := fmt.Sprintf("LowRank(%d×%d, %d)", rows, columns, terms)
		var parts []reference.Separable
		fits := true
		for _, p := range learner.LowRank(passed, terms) {
			fits = fits && hiddenFits(t, call, p, rows, columns)
			parts = append(parts, reference.Separable(p))
		}
		if check.Equal(t, "how many kernels are in "+call, len(parts), terms, check.Exact) && fits {
			check.Equal(t, "the sum of "+call, hiddenSum(rows, columns, parts...), hiddenSum(rows, columns, reference.LowRank(k, terms)...), check.Tol{Rel: 1e-9, Abs: 1e-10}, check.Kept("k", passed, k))
		}
		more := 1 + rng.IntN(3)
		check.Panics(t, fmt.Sprintf("LowRank(%d×%d, %d)", rows, columns, -more), func() { learner.LowRank(k, -more) })
		check.Panics(t, fmt.Sprintf("LowRank(%d×%d, %d)", rows, columns, least+more), func() { learner.LowRank(k, least+more) })
	}
	check.Independent(t, "LowRank(k, 2)", learner.LowRank, check.Args{hiddenKernel(rng, 3, 4), 2}, check.Args{hiddenKernel(rng, 3, 4), 2}, check.AnyAnswer())
}
