//go:build hidden

package densetoconv_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	learner "whyhow/katas/q09-dense-to-conv"
	reference "whyhow/solutions/q09-dense-to-conv"
)

var hiddenTol = check.Tol{Rel: 1e-9, Abs: 1e-11}

func hiddenMap(rng *rand.Rand, channels, high, wide int) tensor.CHW {
	return tensor.NewCHW(channels, high, wide, check.Normal(rng, channels*high*wide, 1))
}

func hiddenWeights(rng *rand.Rand, out, in int) *mat.Dense {
	return mat.NewDense(out, in, check.Normal(rng, out*in, 1))
}

func TestHiddenCrop(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		x := hiddenMap(rng, 1+rng.IntN(3), 1+rng.IntN(7), 1+rng.IntN(7))
		h, w := 1+rng.IntN(x.H), 1+rng.IntN(x.W)
		top, left := rng.IntN(x.H-h+1), rng.IntN(x.W-w+1)
		passed := check.Copy(x)
		check.Equal(t, fmt.Sprintf("Crop(x %d×%d×%d, %d, %d, %d, %d)", x.C, x.H, x.W, top, left, h, w), learner.Crop(passed, top, left, h, w), reference.Crop(x, top, left, h, w),
			check.Exact, check.Kept("x", passed, x))
		more := 1 + rng.IntN(3)
		for _, bad := range [][4]int{
			{top, left, 1 - more, w}, {top, left, h, 1 - more}, {-more, left, h, w}, {top, -more, h, w}, {x.H - h + more, left, h, w}, {top, x.W - w + more, h, w},
		} {
			check.Panics(t, fmt.Sprintf("Crop(x %d×%d×%d, %d)", x.C, x.H, x.W, bad), func() { learner.Crop(x, bad[0], bad[1], bad[2], bad[3]) })
		}
	}
	for _, size := range [][2]int{{2, 3}, {4, 5}, {1, 5}} {
		args := func() check.Args { return check.Args{hiddenMap(rng, 1, 4, 5), 0, 0, size[0], size[1]} }
		check.Independent(t, fmt.Sprintf("Crop(x, 0, 0, %d, %d)", size[0], size[1]), learner.Crop, args(), args())
	}
}

func TestHiddenDense(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		out, c, h, wd := 1+rng.IntN(4), 1+rng.IntN(3), 1+rng.IntN(4), 1+rng.IntN(4)
		in := c * h * wd
		x, w, bias := hiddenMap(rng, c, h, wd), hiddenWeights(rng, out, in), check.Normal(rng, out, 1)
		passed := check.Copy(w)
		check.Equal(t, fmt.Sprintf("Dense(x %d×%d×%d, w, bias)", c, h, wd), learner.Dense(check.Copy(x), passed, check.Copy(bias)), reference.Dense(x, w, bias), hiddenTol, check.Kept("w", passed, w))
		check.Equal(t, fmt.Sprintf("Kernel(w, %d, %d, %d)", c, h, wd), learner.Kernel(passed, c, h, wd), reference.Kernel(w, c, h, wd), check.Exact, check.Kept("w", passed, w))

		more := 1 + rng.IntN(3)
		check.Panics(t, "Dense with more columns", func() { learner.Dense(x, hiddenWeights(rng, out, in+more), bias) })
		check.Panics(t, "Dense with too many biases", func() { learner.Dense(x, w, make([]float64, out+more)) })
		check.Panics(t, "Dense with too few biases", func() { learner.Dense(x, w, bias[1:]) })
		check.Panics(t, "Dense without biases", func() { learner.Dense(x, w, nil) })
		check.Panics(t, "Kernel of more columns", func() { learner.Kernel(hiddenWeights(rng, out, in+more), c, h, wd) })
		if in > 1 {
			check.Panics(t, "Dense with fewer columns", func() { learner.Dense(x, hiddenWeights(rng, out, in-1), bias) })
			check.Panics(t, "Kernel of fewer columns", func() { learner.Kernel(hiddenWeights(rng, out, in-1), c, h, wd) })
		}
	}
	args := func() check.Args {
		return check.Args{hiddenMap(rng, 2, 2, 3), hiddenWeights(rng, 3, 12), check.Normal(rng, 3, 1)}
	}
	check.Independent(t, "Dense(x, w, bias)", learner.Dense, args(), args())
	check.Independent(t, "Kernel(w, 2, 2, 3)", learner.Kernel, check.Args{hiddenWeights(rng, 3, 12), 2, 2, 3}, check.Args{hiddenWeights(rng, 3, 12), 2, 2, 3})
}

func TestHiddenScoreMap(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		out, c, h, wd := 1+rng.IntN(4), 1+rng.IntN(3), 1+rng.IntN(4), 1+rng.IntN(4)
		in := c * h * wd
		w, bias, x := hiddenWeights(rng, out, in), check.Normal(rng, out, 1), hiddenMap(rng, c, h+rng.IntN(5), wd+rng.IntN(5))
		call := fmt.Sprintf("ScoreMap(x %d×%d×%d, w, bias, %d, %d)", c, x.H, x.W, h, wd)
		passed := check.Copy(x)
		check.Equal(t, call, learner.ScoreMap(passed, check.Copy(w), check.Copy(bias), h, wd), reference.ScoreMap(x, w, bias, h, wd), hiddenTol, check.Kept("x", passed, x))
		more := 1 + rng.IntN(3)
		check.Panics(t, call+" with more columns", func() { learner.ScoreMap(x, hiddenWeights(rng, out, in+more), bias, h, wd) })
		check.Panics(t, call+" with too many biases", func() { learner.ScoreMap(x, w, make([]float64, out+more), h, wd) })
		check.Panics(t, call+" with too few biases", func() { learner.ScoreMap(x, w, bias[1:], h, wd) })
		check.Panics(t, call+" of a window too high", func() {
			learner.ScoreMap(hiddenMap(rng, c, h, x.W), hiddenWeights(rng, out, c*(h+more)*wd), bias, h+more, wd)
		})
		check.Panics(t, call+" of a window too wide", func() {
			learner.ScoreMap(hiddenMap(rng, c, x.H, wd), hiddenWeights(rng, out, c*h*(wd+more)), bias, h, wd+more)
		})
		if in > 1 {
			check.Panics(t, call+" with fewer columns", func() { learner.ScoreMap(x, hiddenWeights(rng, out, in-1), bias, h, wd) })
		}
	}
	args := func() check.Args {
		return check.Args{hiddenMap(rng, 2, 3, 4), hiddenWeights(rng, 3, 12), check.Normal(rng, 3, 1), 2, 3}
	}
	check.Independent(t, "ScoreMap(x, w, bias, 2, 3)", learner.ScoreMap, args(), args())
}

func TestHiddenSlide(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		x := hiddenMap(rng, 1+rng.IntN(3), 1+rng.IntN(7), 1+rng.IntN(7))
		size, stride, many := 1+rng.IntN(min(x.H, x.W)), 1+rng.IntN(4), 1+rng.IntN(3)
		kept := make([]float64, many)
		score := func(crop tensor.CHW) []float64 { // it returns the same slice every time, and spoils its crop
			for k := range kept {
				kept[k] = 0
				for i, v := range crop.Data {
					kept[k] += v * float64(i+k*k+1)
				}
			}
			clear(crop.Data)
			return kept
		}
		passed := check.Copy(x)
		check.Equal(t, fmt.Sprintf("Slide(x %d×%d×%d, %d, %d, score)", x.C, x.H, x.W, size, stride), learner.Slide(passed, size, stride, score), reference.Slide(x, size, stride, score),
			hiddenTol, check.Kept("x", passed, x))
		more := 1 + rng.IntN(3)
		for _, bad := range [][2]int{{min(x.H, x.W) + more, stride}, {1 - more, stride}, {size, 1 - more}} {
			check.Panics(t, fmt.Sprintf("Slide(x %d×%d×%d, %d, score)", x.C, x.H, x.W, bad), func() { learner.Slide(x, bad[0], bad[1], score) })
		}

		trained, by := 1+rng.IntN(300), 1+rng.IntN(40)
		image := trained + rng.IntN(300)*rng.IntN(2)
		check.Equal(t, fmt.Sprintf("MapSize(%d, %d, %d)", image, trained, by), learner.MapSize(image, trained, by), reference.MapSize(image, trained, by), check.Exact)
		for _, bad := range [][3]int{{trained - 1, trained, by}, {image, 1 - more, by}, {image, trained, 1 - more}, {image, -trained, -by}} {
			check.Panics(t, fmt.Sprintf("MapSize(%d)", bad), func() { learner.MapSize(bad[0], bad[1], bad[2]) })
		}
	}
	first := func(crop tensor.CHW) []float64 { return []float64{crop.Data[0], crop.Data[len(crop.Data)-1]} }
	check.Independent(t, "Slide(x, 2, 2, score)", learner.Slide, check.Args{hiddenMap(rng, 2, 4, 5), 2, 2, first}, check.Args{hiddenMap(rng, 2, 4, 5), 2, 2, first})
}

func TestHiddenCosts(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		trained, by, more := 1+rng.IntN(300), 1+rng.IntN(40), rng.IntN(3)
		image, conv, dense := trained+rng.IntN(300), rng.IntN(10_000_000_000_000), rng.IntN(1_000_000)
		args := fmt.Sprintf("(%d, %d, %d, %d, %d)", image, trained, by, conv, dense)
		gotSlide, gotWhole := learner.Costs(image, trained, by, conv, dense)
		slide, whole := reference.Costs(image, trained, by, conv, dense)
		check.Equal(t, "Costs"+args, []int{gotSlide, gotWhole}, []int{slide, whole}, check.Exact)
		for _, bad := range [][3]int{{trained - 1 - more, trained, by}, {image, -more, by}, {image, trained, -more}} {
			check.Panics(t, fmt.Sprintf("Costs(%d, %d, %d)", bad, conv, dense), func() { learner.Costs(bad[0], bad[1], bad[2], conv, dense) })
		}
	}
}
