package padding_test

import (
	"fmt"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	padding "whyhow/katas/q03-zero-padding"
)

func ceil(a, b int) int { return (a + b - 1) / b }

type padCase struct {
	Name                        string
	X                           check.Array
	Top, Bottom, Left, Right    int
	Y                           check.Array
	Swapped, Turned, Replicated check.Array // what the three mistakes give
}

func TestPad(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[padCase](t, "pad")
	names := check.Consistent(cases, check.Exact, func(c padCase) tensor.CHW { return padding.Pad(c.X.CHW(), c.Top, c.Bottom, c.Left, c.Right) },
		func(c padCase) tensor.CHW { return c.Y.CHW() }, func(c padCase) []check.Reading[tensor.CHW] {
			return []check.Reading[tensor.CHW]{
				check.Reads(c.Swapped.CHW(), "you swapped the two ends of an axis: top rows go above the image, left columns before it"),
				check.Reads(c.Turned.CHW(), "you swapped the axes: top and bottom add rows, left and right add columns"),
				check.Reads(c.Replicated.CHW(), "you repeated the edge: zero padding adds zeros"),
			}
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, passed := c.X.CHW(), c.X.CHW()
			call := fmt.Sprintf("Pad(x, %d, %d, %d, %d)", c.Top, c.Bottom, c.Left, c.Right)
			got := padding.Pad(passed, c.Top, c.Bottom, c.Left, c.Right)
			check.Equal(t, call, got, c.Y.CHW(), check.Exact, append(names[i], check.Kept("x", passed, x),
				check.Why("the pixels move down by top and right by left; the rest is 0"))...)
		})
	}
	t.Run("no padding, and less than none", func(t *testing.T) {
		defer check.Rescue(t)
		x := tensor.NewCHW(1, 2, 2, []float64{1, 2, 3, 4})
		got := padding.Pad(x, 0, 0, 0, 0)
		check.Equal(t, "Pad(x, 0, 0, 0, 0)", got, tensor.NewCHW(1, 2, 2, []float64{1, 2, 3, 4}), check.Exact)
		for i := range 4 {
			for _, others := range []int{0, 2} { // with 2 the other sides make up for it
				p := []int{others, others, others, others}
				p[i] = -1
				check.Panics(t, fmt.Sprintf("Pad(x, %d, %d, %d, %d)", p[0], p[1], p[2], p[3]), func() { padding.Pad(x, p[0], p[1], p[2], p[3]) })
			}
		}
	})
	rng := check.Rand(t)
	for _, by := range []int{0, 1} {
		check.Independent(t, fmt.Sprintf("Pad(x, %[1]d, 0, 0, %[1]d)", by), padding.Pad,
			check.Args{tensor.NewCHW(2, 3, 4, check.Normal(rng, 24, 1)), by, 0, 0, by}, check.Args{tensor.NewCHW(2, 3, 4, check.Normal(rng, 24, 1)), by, 0, 0, by})
	}
}

type sizeCase struct{ In, Kernel, Stride, Dilation, Before, After, Out, Unread int }

func (c sizeCase) call(name string) string {
	return fmt.Sprintf("%s(in %d, kernel %d, stride %d, dilation %d, before %d, after %d)",
		name, c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After)
}

func TestOutputSize(t *testing.T) {
	defer check.Rescue(t)
	// Two cases counted by hand: before and after differ by enough to tell who mixes them up; an axis of more pixels than 32 bits count.
	byHand := []sizeCase{
		{In: 6, Kernel: 3, Stride: 1, Dilation: 1, Before: 1, After: 4, Out: 9},
		{In: 3<<30 + 2, Kernel: 3, Stride: 1 << 30, Dilation: 1, Out: 3},
	}
	golden := check.Golden[sizeCase](t, "sizes")
	cases := slices.Insert(slices.Clone(golden), 1, byHand...)
	each := func(f func(c sizeCase) string) map[string]string {
		out := map[string]string{}
		for _, c := range cases {
			out[c.call("")] = f(c)
		}
		return out
	}
	positions := func(n int) string { return fmt.Sprintf("%d positions", n) }
	// by counts the positions of a kernel that spans span on padded pixels; what does not fit is an error.
	by := func(f func(c sizeCase) (padded, span int)) map[string]string {
		return each(func(c sizeCase) string {
			padded, span := f(c)
			if padded < span {
				return "an error"
			}
			return positions((padded-span)/c.Stride + 1)
		})
	}
	padded := func(c sizeCase) int { return c.Before + c.In + c.After }
	span := func(c sizeCase) int { return c.Dilation*(c.Kernel-1) + 1 }
	sized := check.Equal(t, "OutputSize", each(func(c sizeCase) string {
		n, err := padding.OutputSize(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After)
		if err != nil {
			return "an error"
		}
		return positions(n)
	}), each(func(c sizeCase) string { return positions(c.Out) }), check.Exact,
		check.Why("the positions that PyTorch's convolution takes; the padded axis has before + in + after pixels"),
		check.Mistake(by(func(c sizeCase) (int, int) { return c.Before + c.In, span(c) }), "you counted the padding once: before and after both lengthen the axis"),
		check.Mistake(by(func(c sizeCase) (int, int) { return c.In + c.After, span(c) }), "you counted the padding once: before and after both lengthen the axis"),
		check.Mistake(by(func(c sizeCase) (int, int) { return c.In + 2*c.Before, span(c) }), "you took before for both ends: after may differ"),
		check.Mistake(by(func(c sizeCase) (int, int) { return c.In, span(c) }), "you left the padding out: before and after both lengthen the axis"),
		check.Mistake(each(func(c sizeCase) string { return positions(ceil(padded(c)-span(c), c.Stride) + 1) }),
			"you rounded up: a last window that hangs over the end is dropped, as PyTorch drops it"),
		check.Mistake(by(func(c sizeCase) (int, int) { return padded(c), c.Kernel }), "you left the dilation out: the kernel spans more than its taps"),
		check.Mistake(by(func(c sizeCase) (int, int) { return padded(c), c.Kernel * c.Dilation }), "you spread the kernel to k·d: only its k−1 gaps grow, so it spans d(k−1)+1"),
		check.Mistake(by(func(c sizeCase) (int, int) { return padded(c), (c.Dilation+1)*(c.Kernel-1) + 1 }), "you put d zeros between the taps, or counted dilation from 0: taps stand d pixels apart"),
		check.Mistake(by(func(c sizeCase) (int, int) { return padded(c), c.Kernel + c.Dilation - 1 }), "you widened one gap: each of the k−1 gaps grows"),
		check.Mistake(each(func(c sizeCase) string { return positions((padded(c) - span(c)) / c.Stride) }), "you counted the steps, not the positions: the first position needs no step"),
		check.Mistake(each(func(c sizeCase) string { return positions((padded(c) - span(c) + 1) / c.Stride) }), "you divided the positions of stride 1 by the stride, and rounded down: the first one always counts"),
		check.Mistake(each(func(c sizeCase) string { return positions(padded(c) - span(c) + 1) }), "you left the stride out"),
		check.Mistake(each(func(c sizeCase) string { return positions(padded(c) / c.Stride) }), "you left the kernel out: a position counts only where all of it fits"))
	impossible := []struct {
		sizeCase
		why string
	}{
		{sizeCase{In: 4, Kernel: 5, Stride: 1, Dilation: 1}, "a kernel of 5 does not fit into 4 pixels"},
		{sizeCase{In: 4, Kernel: 5, Stride: 7, Dilation: 1}, "a kernel of 5 does not fit into 4 pixels, whatever the stride"},
		{sizeCase{In: 4, Kernel: 3, Stride: 1, Dilation: 2}, "with dilation 2 a kernel of 3 spans 5"},
		{sizeCase{In: 4, Kernel: 1<<16 + 1, Stride: 1, Dilation: 1 << 16}, "the kernel spans 2³²+1, which 32 bits do not hold"},
		{sizeCase{In: 0, Kernel: 1, Stride: 1, Dilation: 1, Before: 1, After: 1}, "in is not positive"},
		{sizeCase{In: 4, Kernel: 0, Stride: 1, Dilation: 1}, "kernel is not positive"},
		{sizeCase{In: 4, Kernel: 2, Stride: 0, Dilation: 1}, "stride is not positive"},
		{sizeCase{In: 4, Kernel: 2, Stride: 1, Dilation: 0}, "dilation is not positive"},
		{sizeCase{In: 4, Kernel: 1, Stride: 1, Dilation: 0}, "dilation is not positive, even if no tap has a neighbour"},
		{sizeCase{In: -4, Kernel: 1, Stride: 1, Dilation: 1, Before: 3, After: 3}, "in is not positive"},
		{sizeCase{In: 4, Kernel: -2, Stride: 1, Dilation: 1}, "kernel is not positive"},
		{sizeCase{In: 4, Kernel: 2, Stride: -1, Dilation: 1}, "stride is not positive"},
		{sizeCase{In: 4, Kernel: 2, Stride: 1, Dilation: -1}, "dilation is not positive"},
		{sizeCase{In: 4, Kernel: 2, Stride: 1, Dilation: 1, Before: -1, After: 1}, "before is negative"},
		{sizeCase{In: 4, Kernel: 2, Stride: 1, Dilation: 1, Before: 1, After: -1}, "after is negative"},
	}
	for _, c := range impossible {
		_, err := padding.OutputSize(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After)
		check.Fails(t, c.call("OutputSize")+", where "+c.why+",", err)
	}
	check.Independent(t, "OutputSize(in, kernel, stride, dilation, before, after)", padding.OutputSize, check.Args{11, 3, 2, 2, 1, 2}, check.Args{27, 5, 4, 3, 3, 4})
	unread := func(f func(c sizeCase) int) map[string]int {
		out := map[string]int{}
		for _, c := range golden {
			out[c.call("")] = f(c)
		}
		return out
	}
	rest := func(c sizeCase) int { return (padded(c) - span(c)) % c.Stride }
	const noFront = "you forgot the zeros in front: the first window starts before the first pixel"
	if sized { // without OutputSize what is left of the axis is another
		check.Equal(t, "Unread", unread(func(c sizeCase) int { return padding.Unread(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After) }),
			unread(func(c sizeCase) int { return c.Unread }), check.Exact,
			check.Why("the pixels after the last one that a tap falls on; a tap on a zero reads none"),
			check.Mistake(unread(rest), "you counted zeros: what is left over at the end is padding first, and only the rest of it pixels"),
			check.Mistake(unread(func(c sizeCase) int { return rest(c) - c.After }), "you let the count fall below 0 (zeros are left over, no pixels) or rise above in"),
			check.Mistake(unread(func(c sizeCase) int { return min(max(rest(c)-c.After, 0), c.In) }),
				"you judged by where the last window ends: its last tap may stand on a zero, and the last pixel read lie further in"),
			check.Mistake(unread(func(c sizeCase) int { return max(c.In-((c.Out-1)*c.Stride+span(c)), 0) }), noFront),
			check.Mistake(unread(func(c sizeCase) int {
				last := -1
				for i := range c.Out {
					for j := range c.Kernel {
						if p := i*c.Stride + j*c.Dilation; p < c.In {
							last = max(last, p)
						}
					}
				}
				return c.In - 1 - last
			}), noFront),
			check.Mistake(unread(func(c sizeCase) int { return max((padded(c)-c.Kernel)%c.Stride-c.After, 0) }), "you left the dilation out: the kernel spans more than its taps"))
	}
	if !t.Failed() {
		everyAxis(t)
	}
	for _, c := range impossible {
		check.Panics(t, c.call("Unread")+", where "+c.why+",", func() { padding.Unread(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After) })
	}
	check.Independent(t, "Unread(in, kernel, stride, dilation, before, after)", padding.Unread, check.Args{12, 3, 5, 1, 0, 0}, check.Args{14, 2, 4, 2, 1, 1})
}

// everyAxis counts windows and what they read tap by tap, on all short axes, up to the first that differs.
func everyAxis(t *testing.T) {
	t.Helper()
	c := sizeCase{}
	for n := range 6 * 4 * 4 * 4 * 4 * 4 {
		c.Kernel, c.Stride, c.Dilation, c.Before, c.After, c.In = n%4+1, n/4%4+1, n/16%4+1, n/64%4, n/256%4, n/1024+1
		windows, last := 0, -1
		for i := -c.Before; i+c.Dilation*(c.Kernel-1) < c.In+c.After; i += c.Stride {
			windows++
			for k := range c.Kernel {
				if p := i + k*c.Dilation; p < c.In {
					last = max(last, p)
				}
			}
		}
		got, err := padding.OutputSize(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After)
		if windows == 0 {
			if err == nil {
				check.Fails(t, c.call("OutputSize")+", where the kernel does not fit,", err)
				return
			}
			continue
		}
		if err != nil || got != windows {
			check.Equal(t, c.call("OutputSize"), got, windows, check.Exact, check.Why("counted one window after the other"))
			return
		}
		if got := padding.Unread(c.In, c.Kernel, c.Stride, c.Dilation, c.Before, c.After); got != c.In-1-last {
			check.Equal(t, c.call("Unread"), got, c.In-1-last, check.Exact, check.Why("counted tap by tap"))
			return
		}
	}
}

type sides struct{ Before, After int }

type sameCase struct{ In, Kernel, Stride, Before, After int }

func TestSame(t *testing.T) {
	defer check.Rescue(t)
	each := func(f func(c sameCase) sides) map[string]sides {
		out := map[string]sides{}
		for _, c := range check.Golden[sameCase](t, "same") {
			out[fmt.Sprintf("in %d, kernel %d, stride %d", c.In, c.Kernel, c.Stride)] = f(c)
		}
		return out
	}
	// split halves what total says; an odd zero goes after.
	split := func(total func(c sameCase) int) map[string]sides {
		return each(func(c sameCase) sides { n := total(c); return sides{n / 2, n - n/2} })
	}
	needed := func(c sameCase, out int) int { return (out-1)*c.Stride + c.Kernel - c.In }
	check.Equal(t, "Same", each(func(c sameCase) sides {
		before, after := padding.Same(c.In, c.Kernel, c.Stride)
		return sides{before, after}
	}), each(func(c sameCase) sides { return sides{c.Before, c.After} }), check.Exact,
		check.Why("the fewest zeros with which PyTorch takes ⌈in/stride⌉ positions"),
		check.Mistake(each(func(c sameCase) sides { return sides{c.After, c.Before} }), "you put the odd zero in front: SAME (SAME_UPPER in ONNX) puts it after"),
		check.Mistake(each(func(c sameCase) sides { return sides{c.Kernel / 2, c.Kernel / 2} }), "you padded k/2 on both sides: that keeps the size for odd k at stride 1 only"),
		check.Mistake(each(func(c sameCase) sides { return sides{(c.Kernel - 1) / 2, (c.Kernel - 1) / 2} }), "you padded (k−1)/2 on both sides: that keeps the size for odd k at stride 1 only"),
		check.Mistake(split(func(c sameCase) int { return c.Kernel - 1 }), "you padded for stride 1: with a stride the last window ends elsewhere, so fewer or more zeros are needed"),
		check.Mistake(each(func(c sameCase) sides { return sides{c.Before, c.Before} }), "you halved an odd total and lost a zero: it goes after"),
		check.Mistake(each(func(c sameCase) sides { return sides{c.After, c.After} }), "you halved an odd total and gained a zero: only one side gets it"),
		check.Mistake(each(func(c sameCase) sides { return sides{0, c.Before + c.After} }), "you put all zeros after: they are split evenly"),
		check.Mistake(split(func(c sameCase) int { return needed(c, c.In) }), "you asked for as many positions as pixels: with a stride SAME promises ⌈in/stride⌉"),
		check.Mistake(split(func(c sameCase) int { return max(needed(c, max(c.In/c.Stride, 1)), 0) }), "you rounded in/stride down: SAME promises ⌈in/stride⌉ positions"),
		check.Mistake(split(func(c sameCase) int { return needed(c, ceil(c.In, c.Stride)) }), "you let the padding fall below 0: where windows leave pixels over, nothing is padded"))
	if !t.Failed() {
		everySame(t)
	}
	for _, c := range [][3]int{{5, 3, 0}, {0, 3, 1}, {5, 0, 1}, {5, 3, -1}, {-5, 3, 1}, {5, -3, 1}, {5, -3, -1}} {
		check.Panics(t, fmt.Sprintf("Same(%d, %d, %d)", c[0], c[1], c[2]), func() { padding.Same(c[0], c[1], c[2]) })
	}
	check.Independent(t, "Same(in, kernel, stride)", padding.Same, check.Args{9, 4, 3}, check.Args{11, 7, 2})
}

// everySame looks for the smallest padding of all short axes, and of one longer than float32 counts, up to the first that differs.
func everySame(t *testing.T) {
	t.Helper()
	axes := []sameCase{{In: 1<<24 + 1, Kernel: 3, Stride: 1}, {In: 1<<24 + 1, Kernel: 4, Stride: 2}}
	for n := range 12 * 8 * 6 {
		axes = append(axes, sameCase{In: n%12 + 1, Kernel: n/12%8 + 1, Stride: n/96 + 1})
	}
	for _, c := range axes {
		total := 0
		for c.In+total < c.Kernel || (c.In+total-c.Kernel)/c.Stride+1 < ceil(c.In, c.Stride) {
			total++
		}
		before, after := padding.Same(c.In, c.Kernel, c.Stride)
		if got, want := (sides{before, after}), (sides{total / 2, total - total/2}); got != want {
			check.Equal(t, fmt.Sprintf("Same(%d, %d, %d)", c.In, c.Kernel, c.Stride), got, want, check.Exact,
				check.Why("the first padding, counted up from 0, that gives ⌈in/stride⌉ positions"))
			return
		}
	}
}

type usesCase struct {
	H, W, Kernel, Pad int
	Uses              check.Array
}

type layersCase struct{ Size, Kernel, Layers int }

// table returns counts as check compares them: an array of numbers; rows of unequal length stay what they are.
func table(counts [][]int) any {
	var g mat.Dense
	for i, row := range counts {
		if i == 0 && len(row) > 0 {
			g.ReuseAs(len(counts), len(row))
		}
		if len(row) == 0 || len(row) != len(counts[0]) {
			return counts
		}
		for j, n := range row {
			g.Set(i, j, float64(n))
		}
	}
	return &g
}

func TestUses(t *testing.T) {
	defer check.Rescue(t)
	const height = "you took the height for the width: each axis has as many windows as fit along it"
	cases := check.Golden[usesCase](t, "uses")
	names := check.Consistent(cases, check.Exact, func(c usesCase) any { return table(padding.Uses(c.H, c.W, c.Kernel, c.Pad)) },
		func(c usesCase) any { return c.Uses.Dense() }, func(c usesCase) []check.Reading[any] {
			if !sized(c.H, c.Kernel, 1, c.Pad, c.H+2*c.Pad-c.Kernel+1) || !sized(c.W, c.Kernel, 1, c.Pad, c.W+2*c.Pad-c.Kernel+1) {
				return nil // what OutputSize got wrong is no mistake of Uses's
			}
			among := func(windows, p, pad int) int { // the first so many windows of an axis that cover its pixel p
				return max(min(p+pad, windows-1)-max(p+pad-c.Kernel+1, 0)+1, 0)
			}
			reads := func(p, pad, size int) int { return among(size+2*pad-c.Kernel+1, p, pad) }
			grid := func(count func(i, j int) int) *mat.Dense {
				g := mat.NewDense(c.H, c.W, nil)
				g.Apply(func(i, j int, _ float64) float64 { return float64(count(i, j)) }, g)
				return g
			}
			return []check.Reading[any]{
				check.Reads[any](
					grid(func(i, j int) int { return reads(i, c.Pad, c.H) + reads(j, c.Pad, c.W) }),
					"you added the counts of the two axes: every row of windows meets every column of windows, so they multiply",
				),
				check.Reads[any](
					grid(func(i, j int) int { return reads(i, 0, c.H) * reads(j, 0, c.W) }),
					"you left the padding out: windows that begin in the zeros read pixels too",
				),
				check.Reads[any](grid(func(i, j int) int { return reads(i, c.Pad, c.H) * reads(j, c.Pad, c.H) }), height),
				check.Reads[any](grid(func(i, j int) int { // without a floor, where the width is the longer side
					return reads(i, c.Pad, c.H) * (min(j+c.Pad, c.H+2*c.Pad-c.Kernel) - max(j+c.Pad-c.Kernel+1, 0) + 1)
				}), height),
				check.Reads[any](
					grid(func(i, j int) int {
						return among(c.H+2*c.Pad-c.Kernel, i, c.Pad) * among(c.W+2*c.Pad-c.Kernel, j, c.Pad)
					}),
					"you missed the last window of each axis: it ends with the last pixel or zero",
				),
				check.Reads[any](
					grid(func(i, j int) int {
						return among(c.H+c.Pad-c.Kernel+1, i, c.Pad) * among(c.W+c.Pad-c.Kernel+1, j, c.Pad)
					}),
					"you padded in front only: the zeros behind the last pixel add windows too",
				),
				check.Reads[any](
					grid(func(int, int) int { return c.Kernel * c.Kernel }),
					"you gave every pixel k² windows: at the border some of them do not exist",
				),
			}
		})
	for i, c := range cases {
		got := table(padding.Uses(c.H, c.W, c.Kernel, c.Pad))
		check.Equal(t, fmt.Sprintf("Uses(h %d, w %d, kernel %d, pad %d)", c.H, c.W, c.Kernel, c.Pad), got, c.Uses.Dense(), check.Exact,
			append(names[i], check.Why("the gradient of the sum of an all-ones convolution counts the windows on a pixel"))...)
	}
	for _, c := range [][4]int{
		{4, 2, 3, 0}, {2, 4, 3, 0}, {4, 2, 5, 1}, {2, 4, 5, 1}, {0, 4, 1, 1}, {4, 0, 1, 1}, {-1, 4, 1, 2}, {4, -1, 1, 2}, {4, 4, 0, 0}, {4, 4, -1, 0}, {4, 4, 2, -1},
	} {
		check.Panics(t, fmt.Sprintf("Uses(%d, %d, %d, %d)", c[0], c[1], c[2], c[3]), func() { padding.Uses(c[0], c[1], c[2], c[3]) })
	}
	check.Independent(t, "Uses(h, w, kernel, pad)", padding.Uses, check.Args{4, 5, 3, 1}, check.Args{6, 7, 2, 0})
	layers := func(f func(c layersCase) int) map[string]int {
		out := map[string]int{}
		for _, c := range check.Golden[layersCase](t, "layers") {
			out[fmt.Sprintf("size %d, kernel %d", c.Size, c.Kernel)] = f(c)
		}
		return out
	}
	check.Equal(t, "LayersUntilGone", layers(func(c layersCase) int { return padding.LayersUntilGone(c.Size, c.Kernel) }), layers(func(c layersCase) int { return c.Layers }), check.Exact,
		check.Why("how many convolutions PyTorch runs before one does not fit"),
		check.Mistake(layers(func(c layersCase) int { return c.Size / (c.Kernel - 1) }), "you let an axis shrink to nothing: a layer fits only while kernel pixels are left"),
		check.Mistake(layers(func(c layersCase) int { return c.Size / c.Kernel }), "you took kernel pixels off a layer: an unpadded layer takes kernel−1"),
		check.Mistake(layers(func(c layersCase) int { return max(c.Size-c.Kernel, 0) / (c.Kernel - 1) }), "you missed the last layer: exactly kernel pixels still give one position"),
		check.Mistake(layers(func(c layersCase) int { return (c.Size-1)/(c.Kernel-1) + 1 }), "you counted the layer that does not fit"),
		check.Mistake(layers(func(c layersCase) int { return max(c.Size-1, 0) / (2 * (c.Kernel / 2)) }), "you took 2·⌊k/2⌋ off a layer: an even kernel takes kernel−1 too"))
	for _, c := range [][2]int{{32, 1}, {32, 0}, {32, -3}, {0, 3}, {-5, 3}, {-5, -3}} {
		check.Panics(t, fmt.Sprintf("LayersUntilGone(%d, %d)", c[0], c[1]), func() { padding.LayersUntilGone(c[0], c[1]) })
	}
	check.Independent(t, "LayersUntilGone(size, kernel)", padding.LayersUntilGone, check.Args{32, 3}, check.Args{20, 5})
}

type convCase struct {
	Name                                                                     string
	X, W, Bias                                                               check.Array
	Stride, Pad                                                              int
	Y                                                                        check.Array
	Flipped, Turned, Replicated, Once, NoBias, Inside, Crowded, First, Apart *check.Array // what mistakes give, where they can be told apart
}

// unlessWritten is what right says, true if it panics: what is not written yet got nothing wrong, and the functions after it do without.
func unlessWritten(right func() bool) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = true
		}
	}()
	return right()
}

// sized says that OutputSize counts want positions, or is not written.
func sized(in, kernel, stride, pad, want int) bool {
	return unlessWritten(func() bool {
		n, err := padding.OutputSize(in, kernel, stride, 1, pad, pad)
		return err == nil && n == want
	})
}

// padded says that Pad puts pad zeros on all sides of x, or is not written.
func padded(x tensor.CHW, pad int) bool {
	return unlessWritten(func() bool {
		want := tensor.NewCHW(x.C, x.H+2*pad, x.W+2*pad, nil)
		for i, v := range x.Data {
			want.Set(i/(x.H*x.W), pad+i/x.W%x.H, pad+i%x.W, v)
		}
		return padding.Pad(x, pad, pad, pad, pad).Equal(want)
	})
}

func TestConv2D(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[convCase](t, "conv")
	biasOf := func(c convCase) []float64 {
		if bias := c.Bias.Floats(); len(bias) > 0 {
			return bias
		}
		return nil
	}
	names := check.Consistent(cases, check.Rel(1e-11), func(c convCase) tensor.CHW { return padding.Conv2D(c.X.CHW(), c.W.OIHW(), biasOf(c), c.Stride, c.Pad) },
		func(c convCase) tensor.CHW { return c.Y.CHW() }, func(c convCase) (readings []check.Reading[tensor.CHW]) {
			x, y := c.X.CHW(), c.Y.CHW()
			if !sized(x.H, c.W.Shape[2], c.Stride, c.Pad, y.H) || !sized(x.W, c.W.Shape[3], c.Stride, c.Pad, y.W) || !padded(x, c.Pad) {
				return nil // what OutputSize or Pad got wrong is no mistake of Conv2D's
			}
			add := func(says string, value *check.Array) {
				if value != nil {
					readings = append(readings, check.Reads(value.CHW(), says))
				}
			}
			add("you flipped the kernel: networks compute the cross-correlation, as PyTorch does", c.Flipped)
			add("you swapped the rows and columns of the kernel", c.Turned)
			add("you repeated the edge: zero padding adds zeros", c.Replicated)
			add("you lost the last positions of both axes: pad zeros go on all four sides, and the size counts them all", c.Once)
			add("you left the bias out", c.NoBias)
			add("you added the bias only where the window lies inside the image: every position gets it, also one that sees zeros", c.Inside)
			add("you moved the window by one: position i reads from row i·stride on", c.Crowded)
			add("you kept the channels apart, as a depthwise convolution does: every output channel sums over all channels of x", c.Apart)
			add("you convolved the first channel alone: the sum goes over all channels of x", c.First)
			// biased is y with other biases.
			biased := func(says string, other func(o int) float64) {
				y := c.Y.CHW()
				for i := range y.Data {
					y.Data[i] += other(i/(y.H*y.W)) - c.Bias.Data[i/(y.H*y.W)]
				}
				readings = append(readings, check.Reads(y, says))
			}
			if bias := biasOf(c); bias != nil {
				biased("you gave every output channel the first bias: each has its own", func(int) float64 { return bias[0] })
				biased("you added the bias once an input channel: it is added once, outside the sum", func(o int) float64 { return float64(c.W.Shape[1]) * bias[o] })
				biased("you subtracted the bias: it is added", func(o int) float64 { return -bias[o] })
			}
			return readings
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.CHW(), c.W.OIHW()
			got := padding.Conv2D(x, w, biasOf(c), c.Stride, c.Pad)
			check.Equal(t, fmt.Sprintf("Conv2D(x, w, bias, stride %d, pad %d)", c.Stride, c.Pad), got, c.Y.CHW(), check.Rel(1e-11), append(names[i],
				check.Why("a kernel is laid on the padded image as it is, and every position gets the bias"), check.Kept("x", x, c.X.CHW()), check.Kept("w", w, c.W.OIHW()))...)
		})
	}
	t.Run("shapes that do not fit", func(t *testing.T) {
		defer check.Rescue(t)
		x, w := tensor.NewCHW(2, 4, 5, nil), tensor.NewOIHW(3, 2, 3, 3, nil)
		check.Panics(t, "Conv2D with x of 2 channels and w for 1", func() { padding.Conv2D(x, tensor.NewOIHW(3, 1, 3, 3, nil), nil, 1, 0) })
		check.Panics(t, "Conv2D with x of 2 channels and w for 3", func() { padding.Conv2D(x, tensor.NewOIHW(3, 3, 3, 3, nil), nil, 1, 0) })
		check.Panics(t, "Conv2D with 3 output channels and a bias that is empty, not nil,", func() { padding.Conv2D(x, w, []float64{}, 1, 0) })
		check.Panics(t, "Conv2D with stride 0", func() { padding.Conv2D(x, w, nil, 0, 0) })
		check.Panics(t, "Conv2D with pad −1", func() { padding.Conv2D(x, w, nil, 1, -1) })
		check.Panics(t, "Conv2D with a 0×3 kernel", func() { padding.Conv2D(x, tensor.NewOIHW(3, 2, 0, 3, nil), nil, 1, 0) })
		check.Panics(t, "Conv2D with a 3×0 kernel", func() { padding.Conv2D(x, tensor.NewOIHW(3, 2, 3, 0, nil), nil, 1, 0) })
		check.Panics(t, "Conv2D of 0×5 pixels with pad 2", func() { padding.Conv2D(tensor.NewCHW(2, 0, 5, nil), w, nil, 1, 2) })
		check.Panics(t, "Conv2D of 4×0 pixels with pad 2", func() { padding.Conv2D(tensor.NewCHW(2, 4, 0, nil), w, nil, 1, 2) })
		check.Panics(t, "Conv2D with 3 output channels and a bias of 2", func() { padding.Conv2D(x, w, []float64{1, 2}, 1, 0) })
		check.Panics(t, "Conv2D with 3 output channels and a bias of 4", func() { padding.Conv2D(x, w, []float64{1, 2, 3, 4}, 1, 0) })
		check.Panics(t, "Conv2D with a 3×6 kernel on 4×5 pixels", func() { padding.Conv2D(x, tensor.NewOIHW(3, 2, 3, 6, nil), nil, 1, 0) })
		check.Panics(t, "Conv2D with a 5×5 kernel on 4×5 pixels", func() { padding.Conv2D(x, tensor.NewOIHW(3, 2, 5, 5, nil), nil, 1, 0) })
	})
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{tensor.NewCHW(2, 4, 5, check.Normal(rng, 40, 1)), tensor.NewOIHW(3, 2, 3, 2, check.Normal(rng, 36, 1)), check.Normal(rng, 3, 1), 2, 1}
	}
	check.Independent(t, "Conv2D(x, w, bias, 2, 1)", padding.Conv2D, draw(), draw())
}
