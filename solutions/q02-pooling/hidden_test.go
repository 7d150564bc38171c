//go:build hidden

package pooling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	learner "whyhow/katas/q02-pooling"
	reference "whyhow/solutions/q02-pooling"
)

// hiddenCase is a random image with windows that fit into it and the gradient with respect to the pooled map. In every other case many values are equal; most are negative.
type hiddenCase struct {
	x, dy        tensor.CHW
	size, stride int
}

func (p hiddenCase) String() string {
	return fmt.Sprintf("x %d×%d×%d, size %d, stride %d", p.x.C, p.x.H, p.x.W, p.size, p.stride)
}

func hiddenCases(rng *rand.Rand, f func(hiddenCase)) {
	for n := range 60 {
		h, w := 1+rng.IntN(9), 1+rng.IntN(9)
		p := hiddenCase{x: tensor.NewCHW(1+rng.IntN(3), h, w, nil), size: 1 + rng.IntN(min(h, w, 4)), stride: 1 + rng.IntN(4)}
		for i := range p.x.Data {
			p.x.Data[i] = rng.NormFloat64() - 1
			if n%2 == 1 {
				p.x.Data[i] = math.Round(p.x.Data[i])
			}
		}
		p.dy = reference.Max(p.x, p.size, p.stride)
		copy(p.dy.Data, check.Normal(rng, len(p.dy.Data), 1))
		f(p)
	}
}

// hiddenExtremes makes it harder to find a maximum: values far below 0, nearly equal, or without an end.
func hiddenExtremes(rng *rand.Rand, x tensor.CHW) {
	kind := rng.IntN(6)
	for i := range x.Data {
		switch {
		case kind == 0:
			x.Data[i] = 1e12 * (x.Data[i] - 10)
		case kind == 1:
			x.Data[i] = 1 + 1e-12*x.Data[i]
		case kind == 2 && rng.IntN(4) > 0:
			x.Data[i] = math.Inf(-1)
		}
	}
}

// hiddenImages returns two images of 3×5×6 pixels.
func hiddenImages(rng *rand.Rand) (x, other tensor.CHW) {
	return tensor.NewCHW(3, 5, 6, check.Normal(rng, 90, 1)), tensor.NewCHW(3, 5, 6, check.Normal(rng, 90, 1))
}

// hiddenRefused holds that pool panics on windows that no image has.
func hiddenRefused(t *testing.T, rng *rand.Rand, name string, pool func(x tensor.CHW, size, stride int)) {
	t.Helper()
	for range 10 {
		h, w, most := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(3)
		x := tensor.NewCHW(1+rng.IntN(3), h, w, nil)
		for _, bad := range [][2]int{{1 - most, 1}, {1, 1 - most}, {min(h, w) + most, 1}} {
			check.Panics(t, fmt.Sprintf("%s of %d×%d pixels, size %d, stride %d", name, h, w, bad[0], bad[1]), func() { pool(x, bad[0], bad[1]) })
		}
	}
}

// hiddenMisshapen holds that backward panics on a gradient whose shape is not that of the pooled map.
func hiddenMisshapen(t *testing.T, rng *rand.Rand, name string, backward func(x, dy tensor.CHW, size, stride int) tensor.CHW) {
	t.Helper()
	x, _ := hiddenImages(rng)
	for _, dy := range [][3]int{{2, 2, 3}, {4, 2, 3}, {3, 1, 3}, {3, 3, 3}, {3, 2, 2}, {3, 2, 4}, {3, 3, 2}, {1, 3, 6}} {
		check.Panics(t, fmt.Sprintf("%s of x 3×5×6, size 2, stride 2, and dy %v", name, dy), func() {
			backward(x, tensor.NewCHW(dy[0], dy[1], dy[2], nil), 2, 2)
		})
	}
}

func TestHiddenMax(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenCases(rng, func(p hiddenCase) {
		hiddenExtremes(rng, p.x)
		passed := check.Copy(p.x)
		check.Equal(t, "Max of "+p.String(), learner.Max(passed, p.size, p.stride), reference.Max(p.x, p.size, p.stride), check.Exact, check.Kept("x", passed, p.x))
	})
	x, other := hiddenImages(rng)
	check.Independent(t, "Max(x, 2, 2)", learner.Max, check.Args{x, 2, 2}, check.Args{other, 2, 2})
	check.Independent(t, "Max(x, 1, 1)", learner.Max, check.Args{x, 1, 1}, check.Args{other, 1, 1})
	hiddenRefused(t, rng, "Max", func(x tensor.CHW, size, stride int) { learner.Max(x, size, stride) })
}

func TestHiddenMaxBackward(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenCases(rng, func(p hiddenCase) {
		hiddenExtremes(rng, p.x)
		check.Equal(t, "MaxBackward of "+p.String(), learner.MaxBackward(check.Copy(p.x), check.Copy(p.dy), p.size, p.stride),
			reference.MaxBackward(p.x, p.dy, p.size, p.stride), check.Rel(1e-9))
	})
	x, other := hiddenImages(rng)
	dy, otherDY := tensor.NewCHW(3, 2, 2, check.Normal(rng, 12, 1)), tensor.NewCHW(3, 2, 2, check.Normal(rng, 12, 1))
	check.Independent(t, "MaxBackward(x, dy, 3, 2)", learner.MaxBackward, check.Args{x, dy, 3, 2}, check.Args{other, otherDY, 3, 2})
	hiddenRefused(t, rng, "MaxBackward", func(x tensor.CHW, size, stride int) {
		learner.MaxBackward(x, tensor.NewCHW(x.C, 1, 1, nil), size, stride)
	})
	hiddenMisshapen(t, rng, "MaxBackward", learner.MaxBackward)
}

func TestHiddenAverage(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	hiddenCases(rng, func(p hiddenCase) {
		check.Equal(t, "Average of "+p.String(), learner.Average(check.Copy(p.x), p.size, p.stride), reference.Average(p.x, p.size, p.stride), check.Rel(1e-9))
		check.Equal(t, "AverageBackward of "+p.String(), learner.AverageBackward(check.Copy(p.x), check.Copy(p.dy), p.size, p.stride),
			reference.AverageBackward(p.x, p.dy, p.size, p.stride), check.Rel(1e-9))
		check.Equal(t, "GlobalAverage of "+p.String(), learner.GlobalAverage(check.Copy(p.x)), reference.GlobalAverage(p.x), check.Rel(1e-9))
	})
	x, other := hiddenImages(rng)
	dy, otherDY := tensor.NewCHW(3, 2, 3, check.Normal(rng, 18, 1)), tensor.NewCHW(3, 2, 3, check.Normal(rng, 18, 1))
	check.Independent(t, "Average(x, 2, 2)", learner.Average, check.Args{x, 2, 2}, check.Args{other, 2, 2})
	check.Independent(t, "AverageBackward(x, dy, 2, 2)", learner.AverageBackward, check.Args{x, dy, 2, 2}, check.Args{x, otherDY, 2, 2})
	check.Independent(t, "GlobalAverage(x)", learner.GlobalAverage, check.Args{x}, check.Args{other})
	hiddenRefused(t, rng, "Average", func(x tensor.CHW, size, stride int) { learner.Average(x, size, stride) })
	hiddenRefused(t, rng, "AverageBackward", func(x tensor.CHW, size, stride int) {
		learner.AverageBackward(x, tensor.NewCHW(x.C, 1, 1, nil), size, stride)
	})
	hiddenMisshapen(t, rng, "AverageBackward", learner.AverageBackward)
	check.Panics(t, "GlobalAverage of no pixels", func() { learner.GlobalAverage(tensor.NewCHW(1+rng.IntN(4), rng.IntN(2)*3, 0, nil)) })
}

func TestHiddenAverageKernel(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 30 {
		channels, size := 1+rng.IntN(7), 1+rng.IntN(6)
		check.Equal(t, fmt.Sprintf("AverageKernel(%d, %d)", channels, size), learner.AverageKernel(channels, size), reference.AverageKernel(channels, size), check.Rel(1e-12))
		check.Panics(t, fmt.Sprintf("AverageKernel(%d, %d)", 1-channels, size), func() { learner.AverageKernel(1-channels, size) })
		check.Panics(t, fmt.Sprintf("AverageKernel(%d, %d)", channels, 1-size), func() { learner.AverageKernel(channels, 1-size) })
	}
}

func TestHiddenLossAndGain(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 40 {
		pools := rng.IntN(5)
		h, w, channels, units := 1<<pools+rng.IntN(200), 1<<pools+rng.IntN(200), 1+rng.IntN(600), 1+rng.IntN(5000)
		check.Equal(t, fmt.Sprintf("FirstDenseWeights(%d, %d, %d, %d, %d)", h, w, channels, pools, units), learner.FirstDenseWeights(h, w, channels, pools, units),
			reference.FirstDenseWeights(h, w, channels, pools, units), check.Exact)
		for _, bad := range [][5]int{
			{1 - h, w, channels, 0, units},
			{h, 1 - w, channels, 0, units},
			{h, w, 1 - channels, pools, units},
			{h, w, channels, -1 - pools, units},
			{h, w, channels, pools, 1 - units},
			{1<<(pools+1) - 1 - rng.IntN(1<<pools), w + 1<<pools, channels, pools + 1, units},
			{h + 1<<pools, 1<<(pools+1) - 1 - rng.IntN(1<<pools), channels, pools + 1, units},
		} {
			check.Panics(t, fmt.Sprintf("FirstDenseWeights(%d)", bad), func() { learner.FirstDenseWeights(bad[0], bad[1], bad[2], bad[3], bad[4]) })
		}
	}
	a, b := learner.Confusable()
	check.Equal(t, "the shapes of Confusable()", [][3]int{{a.C, a.H, a.W}, {b.C, b.H, b.W}}, [][3]int{{1, 4, 4}, {1, 4, 4}}, check.Exact)
	check.Equal(t, "Confusable() a equals b", a.Equal(b), false, check.Exact)
	check.Equal(t, "the pooled a of Confusable()", reference.Max(a, 2, 2), reference.Max(b, 2, 2), check.Exact)
}
