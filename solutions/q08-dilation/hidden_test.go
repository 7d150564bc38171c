//go:build hidden

package dilation_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	learner "whyhow/katas/q08-dilation"
	reference "whyhow/solutions/q08-dilation"
)

var hiddenTol = check.Tol{Rel: 1e-9, Abs: 1e-11}

func hiddenImage(rng *rand.Rand, channels, high, wide int) tensor.CHW {
	return tensor.NewCHW(channels, high, wide, check.Normal(rng, channels*high*wide, 1))
}

func hiddenKernel(rng *rand.Rand, o, i, h, w int) tensor.OIHW {
	return tensor.NewOIHW(o, i, h, w, check.Normal(rng, o*i*h*w, 1))
}

// hiddenConvolution draws an image, a kernel and a dilation with which it fits.
func hiddenConvolution(rng *rand.Rand) (x tensor.CHW, w tensor.OIHW, d int) {
	w, d = hiddenKernel(rng, 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(4)), 1+rng.IntN(4)
	return hiddenImage(rng, w.I, (w.H-1)*d+1+rng.IntN(4), (w.W-1)*d+1+rng.IntN(4)), w, d
}

// hiddenRefused holds that convolve panics where the image, the kernel and the dilation do not go together.
func hiddenRefused(t *testing.T, rng *rand.Rand, name string, convolve func(x tensor.CHW, w tensor.OIHW, d int)) {
	t.Helper()
	for range 10 {
		_, w, d := hiddenConvolution(rng)
		high, wide, more := (w.H-1)*d+1, (w.W-1)*d+1, 1+rng.IntN(3)
		for what, bad := range map[string]tensor.CHW{
			"more channels": hiddenImage(rng, w.I+more, high, wide), "fewer channels": hiddenImage(rng, w.I-1, high, wide),
			"too low an image": hiddenImage(rng, w.I, high-1, wide+2), "too narrow an image": hiddenImage(rng, w.I, high+2, wide-1),
		} {
			check.Panics(t, fmt.Sprintf("%s of %s, w %d×%d, dilation %d", name, what, w.H, w.W, d), func() { convolve(bad, w, d) })
		}
		check.Panics(t, fmt.Sprintf("%s with dilation %d", name, 1-more), func() { convolve(hiddenImage(rng, w.I, high, wide), w, 1-more) })
	}
}

func TestHiddenSpread(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		kernel, d := 1+rng.IntN(12), 1+rng.IntN(9)
		check.Equal(t, fmt.Sprintf("EffectiveKernel(%d, %d)", kernel, d), learner.EffectiveKernel(kernel, d), reference.EffectiveKernel(kernel, d), check.Exact)
		w := hiddenKernel(rng, 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(4), 1+rng.IntN(4))
		passed := check.Copy(w)
		check.Equal(t, fmt.Sprintf("Spread(w, %d)", d), learner.Spread(passed, d), reference.Spread(w, d), check.Exact, check.Kept("w", passed, w))
		less := -rng.IntN(4)
		check.Panics(t, fmt.Sprintf("EffectiveKernel(%d, %d)", less, d), func() { learner.EffectiveKernel(less, d) })
		check.Panics(t, fmt.Sprintf("EffectiveKernel(%d, %d)", kernel, less), func() { learner.EffectiveKernel(kernel, less) })
		check.Panics(t, fmt.Sprintf("Spread(w, %d)", less), func() { learner.Spread(w, less) })
	}
	for d := 1; d <= 2; d++ {
		check.Independent(t, fmt.Sprintf("Spread(w, %d)", d), learner.Spread, check.Args{hiddenKernel(rng, 2, 2, 3, 2), d}, check.Args{hiddenKernel(rng, 2, 2, 3, 2), d})
	}
}

func TestHiddenConv2D(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		x, w, d := hiddenConvolution(rng)
		passed := check.Copy(x)
		check.Equal(t, fmt.Sprintf("Conv2D(x %d×%d×%d, w %d×%d×%d×%d, %d)", x.C, x.H, x.W, w.O, w.I, w.H, w.W, d), learner.Conv2D(passed, check.Copy(w), d), reference.Conv2D(x, w, d),
			hiddenTol, check.Kept("x", passed, x))
	}
	args := func() check.Args { return check.Args{hiddenImage(rng, 2, 5, 6), hiddenKernel(rng, 3, 2, 2, 3), 2} }
	check.Independent(t, "Conv2D(x, w, 2)", learner.Conv2D, args(), args())
	hiddenRefused(t, rng, "Conv2D", func(x tensor.CHW, w tensor.OIHW, d int) { learner.Conv2D(x, w, d) })
}

func TestHiddenConv2DBackward(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		x, w, d := hiddenConvolution(rng)
		high, wide := x.H-(w.H-1)*d, x.W-(w.W-1)*d
		dy := hiddenImage(rng, w.O, high, wide)
		passed := check.Copy(x)
		dx, dw := reference.Conv2DBackward(x, dy, w, d)
		gotX, gotW := learner.Conv2DBackward(passed, check.Copy(dy), check.Copy(w), d)
		call := fmt.Sprintf("Conv2DBackward(x %d×%d×%d, dy, w %d×%d×%d×%d, %d)", x.C, x.H, x.W, w.O, w.I, w.H, w.W, d)
		check.Equal(t, call+" dx", gotX, dx, hiddenTol, check.Kept("x", passed, x))
		check.Equal(t, call+" dw", gotW, dw, hiddenTol)
		more := 1 + rng.IntN(3)
		for what, bad := range map[string]tensor.CHW{
			"more channels": hiddenImage(rng, w.O+more, high, wide), "fewer channels": hiddenImage(rng, w.O-1, high, wide), "more rows": hiddenImage(rng, w.O, high+more, wide),
			"fewer rows": hiddenImage(rng, w.O, high-1, wide), "more columns": hiddenImage(rng, w.O, high, wide+more), "fewer columns": hiddenImage(rng, w.O, high, wide-1),
		} {
			check.Panics(t, call+" of a dy of "+what, func() { learner.Conv2DBackward(x, bad, w, d) })
		}
	}
	args := func() check.Args {
		return check.Args{hiddenImage(rng, 2, 5, 6), hiddenImage(rng, 3, 3, 2), hiddenKernel(rng, 3, 2, 2, 3), 2}
	}
	check.Independent(t, "Conv2DBackward(x, dy, w, 2)", learner.Conv2DBackward, args(), args())
	hiddenRefused(t, rng, "Conv2DBackward", func(x tensor.CHW, w tensor.OIHW, d int) {
		learner.Conv2DBackward(x, hiddenImage(rng, w.O, max(x.H-(w.H-1)*d, 0), max(x.W-(w.W-1)*d, 0)), w, d)
	})
}

// hiddenDilations draws a schedule, an empty one too.
func hiddenDilations(rng *rand.Rand) []int {
	dilations := make([]int, rng.IntN(5))
	for i := range dilations {
		dilations[i] = 1 + rng.IntN(7)
	}
	return dilations
}

func TestHiddenField(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		kernel, dilations := 1+rng.IntN(6), hiddenDilations(rng)
		passed := check.Copy(dilations)
		check.Equal(t, fmt.Sprintf("Field(%d, %v)", kernel, dilations), learner.Field(kernel, passed), reference.Field(kernel, dilations), check.Exact, check.Kept("dilations", passed, dilations))
		field := rng.IntN(300) - 3
		if rng.IntN(3) == 0 { // one that a schedule reaches exactly
			field = 1 + kernel*(1<<rng.IntN(8)-1)
		}
		check.Equal(t, fmt.Sprintf("Doubling(%d, %d)", kernel+1, field), learner.Doubling(kernel+1, field), reference.Doubling(kernel+1, field), check.Exact)
		less := 1 - rng.IntN(4)
		check.Panics(t, fmt.Sprintf("Doubling(%d, %d)", less, field), func() { learner.Doubling(less, field) })
	}
	check.Independent(t, "Doubling(kernel, field)", learner.Doubling, check.Args{3, 9 + rng.IntN(6)}, check.Args{2, 30 + rng.IntN(9)})
}

func TestHiddenTaps(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		kernel, dilations := 1+rng.IntN(4), hiddenDilations(rng)
		passed := check.Copy(dilations)
		check.Equal(t, fmt.Sprintf("Taps(%d, %v)", kernel, dilations), learner.Taps(kernel, passed), reference.Taps(kernel, dilations), check.Exact, check.Kept("dilations", passed, dilations))
	}
	check.Independent(t, "Taps(kernel, dilations)", learner.Taps, check.Args{3, []int{5, 1, 2}}, check.Args{2, []int{4, 3, 7 + rng.IntN(3)}})
}
