//go:build hidden

package padding_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	learner "whyhow/katas/q03-zero-padding"
	reference "whyhow/solutions/q03-zero-padding"
)

func hiddenImage(rng *rand.Rand, channels, high, wide int) tensor.CHW {
	return tensor.NewCHW(channels, high, wide, check.Normal(rng, channels*high*wide, 1))
}

func TestHiddenPad(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 60 {
		x := hiddenImage(rng, 1+rng.IntN(3), 1+rng.IntN(6), 1+rng.IntN(6))
		top, bottom, left, right := rng.IntN(4), rng.IntN(4), rng.IntN(4), rng.IntN(4)
		passed := check.Copy(x)
		check.Equal(t, fmt.Sprintf("Pad(x %d×%d×%d, %d, %d, %d, %d)", x.C, x.H, x.W, top, bottom, left, right),
			learner.Pad(passed, top, bottom, left, right), reference.Pad(x, top, bottom, left, right), check.Exact, check.Kept("x", passed, x))
	}
	check.Independent(t, "Pad(x, 1, 0, 2, 1)", learner.Pad, check.Args{hiddenImage(rng, 2, 3, 4), 1, 0, 2, 1}, check.Args{hiddenImage(rng, 2, 3, 4), 1, 0, 2, 1})
	check.Independent(t, "Pad(x, 0, 0, 0, 0)", learner.Pad, check.Args{hiddenImage(rng, 2, 3, 4), 0, 0, 0, 0}, check.Args{hiddenImage(rng, 2, 3, 4), 0, 0, 0, 0})
	for side := range 4 {
		sides := []int{rng.IntN(3), rng.IntN(3), rng.IntN(3), rng.IntN(3)}
		sides[side] = -1 - rng.IntN(2)
		check.Panics(t, fmt.Sprintf("Pad(x, %d)", sides), func() { learner.Pad(hiddenImage(rng, 1, 6, 6), sides[0], sides[1], sides[2], sides[3]) })
	}
}

func TestHiddenOutputSize(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 1000 {
		in, kernel, stride, dilation := 1+rng.IntN(30), 1+rng.IntN(6), 1+rng.IntN(7), 1+rng.IntN(6)
		before, after := rng.IntN(4), rng.IntN(4)
		for _, a := range []*int{&in, &kernel, &stride, &dilation} {
			if rng.IntN(40) == 0 {
				*a = -rng.IntN(3)
			}
		}
		for _, a := range []*int{&before, &after} {
			if rng.IntN(40) == 0 {
				*a = -1 - rng.IntN(3)
			}
		}
		args := fmt.Sprintf("(%d, %d, %d, %d, %d, %d)", in, kernel, stride, dilation, before, after)
		want, wantErr := reference.OutputSize(in, kernel, stride, dilation, before, after)
		got, err := learner.OutputSize(in, kernel, stride, dilation, before, after)
		check.Equal(t, "OutputSize"+args+" is an error", err != nil, wantErr != nil, check.Exact)
		if wantErr != nil {
			check.Panics(t, "Unread"+args, func() { learner.Unread(in, kernel, stride, dilation, before, after) })
			continue
		}
		check.Equal(t, "OutputSize"+args, got, want, check.Exact)
		check.Equal(t, "Unread"+args, learner.Unread(in, kernel, stride, dilation, before, after), reference.Unread(in, kernel, stride, dilation, before, after), check.Exact)
	}
}

func TestHiddenSame(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		in, kernel, stride := 1+rng.IntN(20), 1+rng.IntN(7), 1+rng.IntN(6)
		before, after := reference.Same(in, kernel, stride)
		gotBefore, gotAfter := learner.Same(in, kernel, stride)
		check.Equal(t, fmt.Sprintf("Same(%d, %d, %d)", in, kernel, stride), []int{gotBefore, gotAfter}, []int{before, after}, check.Exact)
	}
	for bad := range 3 {
		args := []int{1 + rng.IntN(9), 1 + rng.IntN(4), 1 + rng.IntN(4)}
		args[bad] = -rng.IntN(4)
		check.Panics(t, fmt.Sprintf("Same(%d)", args), func() { learner.Same(args[0], args[1], args[2]) })
	}
}

func TestHiddenUses(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		h, w, pad := 1+rng.IntN(9), 1+rng.IntN(9), rng.IntN(4)
		kernel := 1 + rng.IntN(min(h, w)+2*pad)
		args := fmt.Sprintf("(%d, %d, %d, %d)", h, w, kernel, pad)
		check.Equal(t, "Uses"+args, learner.Uses(h, w, kernel, pad), reference.Uses(h, w, kernel, pad), check.Exact)
		size, wide := 1+rng.IntN(60), 2+rng.IntN(8)
		check.Equal(t, fmt.Sprintf("LayersUntilGone(%d, %d)", size, wide), learner.LayersUntilGone(size, wide), reference.LayersUntilGone(size, wide), check.Exact)
		more := 1 + rng.IntN(3)
		for _, bad := range [][4]int{{1 - more, w, 1, pad}, {h, 1 - more, 1, pad}, {h, w, 1 - more, pad}, {h + 6, w + 6, 1, -more}, {h, w, min(h, w) + 2*pad + more, pad}} {
			check.Panics(t, fmt.Sprintf("Uses(%d)", bad), func() { learner.Uses(bad[0], bad[1], bad[2], bad[3]) })
		}
		check.Panics(t, fmt.Sprintf("LayersUntilGone(%d, %d)", 1-more, wide), func() { learner.LayersUntilGone(1-more, wide) })
		check.Panics(t, fmt.Sprintf("LayersUntilGone(%d, %d)", size, 2-more), func() { learner.LayersUntilGone(size, 2-more) })
	}
}

func TestHiddenConv2D(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		c, o, kh, kw := 1+rng.IntN(3), 1+rng.IntN(3), 1+rng.IntN(4), 1+rng.IntN(4)
		stride, pad := 1+rng.IntN(4), rng.IntN(4)
		x := hiddenImage(rng, c, max(1, kh-2*pad)+rng.IntN(6), max(1, kw-2*pad)+rng.IntN(6))
		w, bias := tensor.NewOIHW(o, c, kh, kw, check.Normal(rng, o*c*kh*kw, 1)), check.Normal(rng, o, 1)
		if rng.IntN(4) == 0 {
			bias = nil
		}
		call := fmt.Sprintf("Conv2D(x %d×%d×%d, w %d×%d×%d×%d, bias of %d, stride %d, pad %d)", c, x.H, x.W, o, c, kh, kw, len(bias), stride, pad)
		passed := check.Copy(x)
		check.Equal(t, call, learner.Conv2D(passed, check.Copy(w), check.Copy(bias), stride, pad), reference.Conv2D(x, w, bias, stride, pad),
			check.Tol{Rel: 1e-9, Abs: 1e-11}, check.Kept("x", passed, x))

		more := 1 + rng.IntN(3)
		refused := func(what string, x tensor.CHW, w tensor.OIHW, bias []float64, stride, pad int) {
			t.Helper()
			check.Panics(t, call+" with "+what, func() { learner.Conv2D(x, w, bias, stride, pad) })
		}
		refused("another number of channels", hiddenImage(rng, c+more, x.H, x.W), w, bias, stride, pad)
		refused("too long a bias", x, w, make([]float64, o+more), stride, pad)
		refused("an empty bias", x, w, []float64{}, stride, pad)
		refused("a stride too small", x, w, bias, 1-more, pad)
		refused("a pad below 0", hiddenImage(rng, c, kh+8, kw+8), w, bias, stride, -more)
		refused("too high a kernel", x, tensor.NewOIHW(o, c, x.H+2*pad+more, kw, nil), bias, stride, pad)
		refused("too wide a kernel", x, tensor.NewOIHW(o, c, kh, x.W+2*pad+more, nil), bias, stride, pad)
		if o > 1 {
			refused("too short a bias", x, w, make([]float64, o-1), stride, pad)
		}
	}
	args := func() check.Args {
		return check.Args{hiddenImage(rng, 2, 5, 4), tensor.NewOIHW(3, 2, 2, 3, check.Normal(rng, 36, 1)), check.Normal(rng, 3, 1), 2, 1}
	}
	check.Independent(t, "Conv2D(x, w, bias, 2, 1)", learner.Conv2D, args(), args())
}
