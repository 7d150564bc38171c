package receptive_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	receptive "whyhow/katas/q11-receptive-field"
)

const singly = "you counted in float32: it holds whole numbers up to 2²⁴"

const poolsStride = "you took a pool's kernel for its stride where that is 0: 0 means 1 here, of a pool too"

func TestOutputSize(t *testing.T) {
	defer check.Rescue(t)
	const undilated = "you ignored dilation: a dilated kernel spans dilation·(kernel − 1) + 1"
	const none = -1 // for an error
	sizes := newSheet()
	try := func(in int, l receptive.Layer, want int) {
		t.Helper()
		got, err := receptive.OutputSize(in, l)
		if err != nil {
			got = none
		}
		f := full(l)
		reach := f.Dilation * (f.Kernel - 1)
		of := func(room int) int {
			if room < 0 {
				return none
			}
			return room/f.Stride + 1
		}
		byKernel := want
		if l.Pool && l.Stride == 0 {
			byKernel = (in+2*f.Pad-reach-1)/f.Kernel + 1
		}
		unpadded := want
		if reach >= in {
			unpadded = none
		}
		sizes.add(fmt.Sprintf("OutputSize(%d, %s)", in, show(l)), got, want,
			mistake{of(in + 2*f.Pad - reach - 1 + f.Stride - 1), "you rounded up: a kernel that does not fit whole gives no output"},
			mistake{of(in + 2*f.Pad - f.Kernel), undilated},
			mistake{of(in + f.Pad - reach - 1), "you padded one side only: pad counts on each side"},
			mistake{(in + 2*f.Pad - reach - 1) / f.Stride, "you forgot to add 1: the first position counts before any stride"},
			mistake{of(in + 2*f.Pad - f.Dilation*f.Kernel), "you took dilation·kernel for the span: between k taps there are k − 1 distances"},
			mistake{in + 2*f.Pad - reach, "you ignored the stride: positions are stride pixels apart"},
			mistake{unpadded, "you held the kernel against the input: it must fit the padded one"},
			mistake{of(in - reach - 1), "you ignored the padding"},
			mistake{byKernel, poolsStride})
	}
	try(5, receptive.Layer{Kernel: 3}, 3)
	try(5, receptive.Layer{Kernel: 5}, 1)
	try(9, receptive.Layer{Kernel: 5, Pad: 2}, 9)
	try(10, receptive.Layer{Kernel: 3, Stride: 2, Pad: 1}, 5)
	try(224, receptive.Layer{Kernel: 11, Stride: 4, Pad: 2}, 55) // AlexNet
	try(12, receptive.Layer{Kernel: 3, Stride: 2, Pad: 1, Dilation: 3}, 4)
	try(20, receptive.Layer{Kernel: 3, Dilation: 4}, 12)
	try(3, receptive.Layer{Kernel: 5, Pad: 1}, 1) // longer than the input, not than the padded one
	try(3, receptive.Layer{Kernel: 3, Dilation: 3, Pad: 2}, 1)
	try(56, receptive.Layer{Kernel: 2, Stride: 2, Pool: true}, 28)
	try(9, receptive.Layer{Kernel: 3, Pool: true}, 7)
	try(5, receptive.Layer{Kernel: 1, Pad: 2}, 9)
	try(6, receptive.Layer{Kernel: 2, Stride: 3, Pad: 3, Pool: true}, 4) // padding may be wider than half a kernel
	try(3, receptive.Layer{Kernel: 2, Stride: 7}, 1)
	try(1<<33+5, receptive.Layer{Kernel: 3, Dilation: 1 << 32}, 5)
	try(1<<33, receptive.Layer{Kernel: 1, Stride: 1 << 32}, 2)
	for _, c := range check.Golden[costCase](t, "costs") {
		try(c.H, c.Layer, c.OutH)
		try(c.W, c.Layer, c.OutW)
	}
	sizesRight := sizes.check(t, "output sizes, −1 for an error,", check.Why("⌊(in + 2·pad − dilation·(kernel − 1) − 1)/stride⌋ + 1"))
	got, want, undivided, dense := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range []struct {
		in               int
		l                receptive.Layer
		undivided, dense bool // whether it is an error for who compares the quotient with 0, and for who ignores dilation
	}{
		{3, receptive.Layer{Kernel: 7, Pad: 1}, true, true},
		{2, receptive.Layer{Kernel: 3, Stride: 2}, false, true},
		{9, receptive.Layer{Kernel: 6, Stride: 4, Dilation: 2}, false, false},
		{4, receptive.Layer{Kernel: 3, Dilation: 2}, true, false},
		{0, receptive.Layer{Kernel: 1}, true, true},
	} {
		_, err := receptive.OutputSize(c.in, c.l)
		call := fmt.Sprintf("OutputSize(%d, %s)", c.in, show(c.l))
		got[call], want[call], undivided[call], dense[call] = err != nil, true, c.undivided, c.dense
		if err != nil {
			check.Fails(t, call, err)
		}
	}
	never := map[string]bool{}
	for call := range want {
		never[call] = false
	}
	opts := []check.Option{check.Why("the dilated kernel is longer than the padded input")}
	if sizesRight {
		opts = append(opts,
			check.Mistake(never, "you returned a size for every kernel, also for one that does not fit"),
			check.Mistake(undivided, "you returned a size for a kernel that does not fit: compare before you divide, Go rounds −1/2 to 0"),
			check.Mistake(dense, undilated))
	}
	check.Equal(t, "returns an error", got, want, check.Exact, opts...)
	check.Independent(t, "OutputSize(in, l)", receptive.OutputSize,
		check.Args{12, receptive.Layer{Kernel: 3, Stride: 2, Pad: 1, Dilation: 3}}, check.Args{30, receptive.Layer{Kernel: 5, Stride: 3, Pad: 2, Dilation: 2}})
}

func TestField(t *testing.T) {
	defer check.Rescue(t)
	t.Run("by hand", func(t *testing.T) {
		defer check.Rescue(t)
		size, jump, pad := receptive.Field(nil)
		check.Equal(t, "Field of no layers", []int{size, jump, pad}, []int{1, 1, 0}, check.Exact, check.Why("a unit of the input is a pixel"))
		size, jump, pad = receptive.Field([]receptive.Layer{{Kernel: 3, Pad: 1}, {Kernel: 3, Pad: 1}})
		check.Equal(t, "Field of two 3×3 layers with padding 1", []int{size, jump, pad}, []int{5, 1, 2}, check.Exact, check.Why("the middle pixel, and two on each side"))
	})
	chains := append(check.Golden[chainCase](t, "chains"), []chainCase{ // by hand
		{
			Name:   "a dilated pool, and a 1×1 layer with a stride and padding",
			Layers: []receptive.Layer{{Kernel: 3, Dilation: 2, Pool: true}, {Kernel: 1, Stride: 2, Pad: 5}, {Kernel: 3, Pad: 1}},
			First:  []int{-7, -5}, Last: []int{1, 3},
		},
		{
			Name:   "all dilated, and a 1×1 pool with a stride",
			Layers: []receptive.Layer{{Kernel: 3, Dilation: 3}, {Kernel: 1, Stride: 2, Pool: true}, {Kernel: 2, Dilation: 4, Pool: true}, {Kernel: 3, Dilation: 2}},
			First:  []int{0, 2}, Last: []int{22, 24},
		},
	}...)
	t.Run("Field", func(t *testing.T) {
		defer check.Rescue(t)
		sizes, jumps, pads := newSheet(), newSheet(), newSheet()
		for _, c := range chains {
			size, jump, pad := receptive.Field(c.Layers)
			wantSize, wantJump := c.Last[0]-c.First[0]+1, c.First[1]-c.First[0]
			wantPad := c.Unit*wantJump - c.First[0]

			grown := func(by func(l receptive.Layer, jump int) int) int {
				return 1 + sum(c.Layers, by)
			}
			reach := func(l receptive.Layer) int { return l.Dilation * (l.Kernel - 1) }
			var unpooled, byKernel []receptive.Layer
			strides, product := 0, 1
			for _, l := range c.Layers {
				if !l.Pool {
					unpooled = append(unpooled, l)
				}
				byKernel = append(byKernel, l)
				if l.Pool && l.Stride == 0 {
					byKernel[len(byKernel)-1].Stride = l.Kernel
				}
				strides += full(l).Stride
				product *= full(l).Stride
			}
			sizes.add(fmt.Sprintf("%s: Field(%s) size", c.Name, showAll(c.Layers)), size, wantSize,
				mistake{
					grown(func(l receptive.Layer, jump int) int { return (reach(l) + 1) * jump }),
					"you added k·jump: from its first tap to its last a kernel goes k − 1 steps",
				},
				mistake{
					grown(func(l receptive.Layer, _ int) int { return reach(l) }),
					"you left the jump out: a step of this layer is jump pixels of the input",
				},
				mistake{
					grown(func(l receptive.Layer, jump int) int { return reach(l) * jump * l.Stride }),
					"you multiplied the jump by the layer's stride before you used it: the taps lie on the map before the layer",
				},
				mistake{
					grown(func(l receptive.Layer, jump int) int { return (l.Kernel - 1) * jump }),
					"you ignored dilation: the taps are dilation steps apart",
				},
				mistake{
					grown(func(l receptive.Layer, jump int) int { return (reach(l) + 2*l.Pad) * jump }),
					"you added the padding to the field: padding moves it and does not widen it",
				},
				mistake{
					grown(func(l receptive.Layer, jump int) int { return reach(l)*jump + 2*l.Pad }),
					"you added the padding to the field: padding moves it and does not widen it",
				},
				mistake{
					1 + sum(unpooled, func(l receptive.Layer, jump int) int { return reach(l) * jump }),
					"you skipped the pooling layers: they have a kernel and a stride too",
				},
				mistake{
					1 + sum(byKernel, func(l receptive.Layer, jump int) int { return reach(l) * jump }),
					poolsStride,
				},
				mistake{
					grown(func(l receptive.Layer, jump int) int {
						if l.Pool {
							l.Dilation = 1
						}
						return reach(l) * jump
					}),
					"you ignored the dilation of pools: it counts as that of convolutions does",
				},
				mistake{wantSize - 1, "you started from a field of 0: without layers a unit sees one pixel"})
			jumps.add(fmt.Sprintf("%s: Field(%s) jump", c.Name, showAll(c.Layers)), jump, wantJump,
				mistake{strides, "you added the strides: they multiply"},
				mistake{product / full(c.Layers[len(c.Layers)-1]).Stride, "you left out the last layer's stride"})
			pads.add(fmt.Sprintf("%s: Field(%s) pad", c.Name, showAll(c.Layers)), pad, wantPad,
				mistake{
					sum(c.Layers, func(l receptive.Layer, _ int) int { return l.Pad }),
					"you added up paddings of different maps: each is worth the jump before its layer",
				},
				mistake{
					sum(c.Layers, func(l receptive.Layer, jump int) int { return l.Pad * jump * l.Stride }),
					"you took the jump after the layer: its padding lies on the map before it",
				},
				mistake{2 * wantPad, "you counted both sides: pad is how far unit 0 begins before pixel 0"})
		}
		sizes.check(t, "the sizes", check.Why("one unit's gradient reaches from the first of these pixels to the last"))
		jumps.check(t, "the jumps", check.Why("the fields of two neighbouring units begin that far apart"))
		pads.check(t, "the pads", check.Why("the field of unit 0 begins that far before pixel 0"))
	})
	fieldsRight := !t.Failed()
	if fieldsRight {
		const far = 1 << 20
		layers := []receptive.Layer{{Kernel: 3, Stride: far, Pad: 1}, {Kernel: 3, Stride: far}, {Kernel: 3, Pad: 1}}
		size, jump, pad := receptive.Field(layers)
		check.Equal(t, "Field("+showAll(layers)+")", []int{size, jump, pad}, []int{3 + 2*far + 2*far*far, far * far, 1 + far*far}, check.Exact,
			check.Mistake([]int{3 + 2*far, 0, 1}, "you multiplied in 32 bits: they hold numbers below 2³¹"))
	}
	t.Run("Span", func(t *testing.T) {
		defer check.Rescue(t)
		got, want := map[string][]int{}, map[string][]int{}
		shifted := map[string]func(size, pad int, span []int) []int{
			"you returned the pixel behind the last one: last belongs to the field":        func(_, _ int, s []int) []int { return []int{s[0], s[1] + 1} },
			"you did not subtract the padding":                                             func(_, pad int, s []int) []int { return []int{s[0] + pad, s[1] + pad} },
			"you added the padding: the field of unit 0 begins before pixel 0":             func(_, pad int, s []int) []int { return []int{s[0] + 2*pad, s[1] + 2*pad} },
			"you cut the field off at the edge: a negative first says how much is padding": func(_, _ int, s []int) []int { return []int{max(s[0], 0), s[1]} },
			"you moved the field to the edge: a negative first says how much is padding": func(size, _ int, s []int) []int {
				return []int{max(s[0], 0), max(s[0], 0) + size - 1}
			},
		}
		wrong := map[string]map[string][]int{}
		try := func(name string, layers []receptive.Layer, size, jump, pad int, units ...int) {
			for _, unit := range units {
				call := fmt.Sprintf("%s: Span(%s, %d)", name, showAll(layers), unit)
				first, last := receptive.Span(layers, unit)
				got[call], want[call] = []int{first, last}, []int{unit*jump - pad, unit*jump - pad + size - 1}
				for says, f := range shifted {
					if wrong[says] == nil {
						wrong[says] = map[string][]int{}
					}
					wrong[says][call] = f(size, pad, want[call])
				}
			}
		}
		for _, c := range chains {
			size, jump := c.Last[0]-c.First[0]+1, c.First[1]-c.First[0]
			try(c.Name, c.Layers, size, jump, c.Unit*jump-c.First[0], c.Unit, c.Unit+1, 0, 1, 1<<35)
		}
		try("nothing but padding", []receptive.Layer{{Kernel: 2, Stride: 2, Pad: 4}}, 2, 2, 4, 0, 1)
		opts := []check.Option{check.Why("from the first pixel with a gradient to the last; unit 0 begins in the padding")}
		if fieldsRight {
			for says, spans := range wrong {
				opts = append(opts, check.Mistake(spans, says))
			}
		}
		check.Equal(t, "the spans", got, want, check.Exact, opts...)
	})
	check.Independent(t, "Field(layers)", receptive.Field, check.Args{stacks()[0]}, check.Args{stacks()[1]})
	check.Independent(t, "Span(layers, unit)", receptive.Span, check.Args{stacks()[0], 2}, check.Args{stacks()[1], 5})
}

func TestParams(t *testing.T) {
	defer check.Rescue(t)
	params := newSheet()
	for _, c := range check.Golden[costCase](t, "costs") {
		l := full(c.Layer)
		extra := c.Params - c.weights()
		bias, norm := 0, 0
		if l.Bias {
			bias = l.Out
		}
		if l.Norm {
			norm = l.Out
		}
		params.add("Params("+show(c.Layer)+")", receptive.Params(c.Layer), c.Params,
			mistake{c.weights()*l.Groups + extra, "you forgot the groups: an output channel sees In/Groups channels"},
			mistake{c.weights()/l.Groups + extra, "you divided by the groups twice: there are Groups groups of In/Groups·Out/Groups"},
			mistake{l.Kernel*l.Kernel*l.In/l.Groups/l.Groups*l.Out + extra, "you divided by the groups twice: there are Groups groups of In/Groups·Out/Groups"},
			mistake{c.weights()/l.Kernel + extra, "you took k for k²: the kernel is square"},
			mistake{c.Params + bias*(l.Groups-1), "you counted the bias once a group: it is one value an output channel"},
			mistake{c.Params - bias, "you left the bias out"},
			mistake{c.Params + l.Out - bias, "you counted a bias that the layer does not have"},
			mistake{c.Params - norm, "you counted one parameter a channel for the norm: γ and β are two"},
			mistake{c.Params - 2*norm, "you left γ and β of the norm out"},
			mistake{c.Params + 2*norm, "you counted the running mean and variance: they are not learned"})
	}
	params.check(t, "the parameters", check.Why("PyTorch's layers have that many learned values"))
	many := 131071 * 131101
	check.Equal(t, "Params(1×1 layer of 131071 → 131101 channels)", receptive.Params(receptive.Layer{In: 131071, Out: 131101, Kernel: 1}), many, check.Exact,
		check.Mistake(int(int32(many)), "you multiplied in 32 bits: they hold numbers below 2³¹"))
	many = 1<<30 + 54321
	check.Equal(t, "Params(2×2 layer of 2³⁰+54321 → 1 channels)", receptive.Params(receptive.Layer{In: many, Out: 1, Kernel: 2}), 4*many, check.Exact,
		check.Mistake(int(int32(4*many)), "you multiplied in 32 bits: they hold numbers below 2³¹"))
	check.Equal(t, "Params(1×1 layer of 1 → 2³⁰+54321 channels norm)", receptive.Params(receptive.Layer{In: 1, Out: many, Kernel: 1, Norm: true}), 3*many, check.Exact,
		check.Mistake(int(int32(3*many)), "you multiplied in 32 bits: they hold numbers below 2³¹"))
	check.Equal(t, "Params of a pool of 10 channels", receptive.Params(receptive.Layer{In: 10, Out: 10, Kernel: 3, Stride: 2, Pool: true}), 0, check.Exact,
		check.Why("a pool has nothing to learn"),
		check.Mistake(900, "you gave a pool weights"))
	check.Equal(t, "Params of a pool of 10 channels with a bias, a norm and 3 groups", receptive.Params(receptive.Layer{In: 10, Out: 10, Kernel: 3, Groups: 3, Pool: true, Bias: true, Norm: true}), 0, check.Exact,
		check.Why("a pool has no parameters, whatever Groups, Bias and Norm say"),
		check.Mistake(10, "you gave a pool a bias"),
		check.Mistake(20, "you gave a pool γ and β"),
		check.Mistake(30, "you gave a pool a bias, γ and β"))
	twice := receptive.Layer{In: 4, Out: 8, Kernel: 3, Groups: 4, Bias: true}
	check.Equal(t, "Params("+show(twice)+")", receptive.Params(twice), 9*8+8, check.Exact, check.Why("each of 8 output channels sees one input channel, and has a bias"))
	check.Panics(t, "Params with 6 → 9 channels in 2 groups", func() { receptive.Params(receptive.Layer{In: 6, Out: 9, Kernel: 3, Groups: 2}) })
	check.Independent(t, "Params(l)", receptive.Params, check.Args{stacks()[0][0]}, check.Args{stacks()[1][0]})
	check.Panics(t, "Params with 9 → 6 channels in 2 groups", func() { receptive.Params(receptive.Layer{In: 9, Out: 6, Kernel: 3, Groups: 2}) })
}

func TestMACs(t *testing.T) {
	defer check.Rescue(t)
	costs := check.Golden[costCase](t, "costs")
	t.Run("MACs", func(t *testing.T) {
		defer check.Rescue(t)
		macs := newSheet()
		for _, c := range costs {
			l := full(c.Layer)
			outputs, bias := l.Out*c.OutH*c.OutW, 0
			if l.Bias {
				bias = outputs
			}
			macs.add(fmt.Sprintf("MACs(%s, %d, %d)", show(c.Layer), c.H, c.W), receptive.MACs(c.Layer, c.H, c.W), c.MACs,
				mistake{c.MACs / (c.OutH * c.OutW) * c.H * c.W, "you took the input map: a product is made for every output position"},
				mistake{c.MACs * l.Groups, "you forgot the groups: an output channel sees In/Groups channels"},
				mistake{c.MACs / l.Groups, "you divided by the groups twice: there are Groups groups of In/Groups·Out/Groups"},
				mistake{c.MACs / l.Kernel, "you took k for k²: the kernel is square"},
				mistake{c.MACs / l.Out, "you counted one output channel: there are Out of them"},
				mistake{c.MACs + bias, "you counted the bias: adding it is no multiply-accumulate"},
				mistake{2 * c.MACs, "you doubled: a multiply-accumulate counts once here, and twice in FLOPs"})
		}
		macs.check(t, "the multiply-accumulates", check.Why("PyTorch summed as many products"))
	})
	if t.Failed() {
		return // FLOPs would repeat it
	}
	t.Run("FLOPs", func(t *testing.T) {
		defer check.Rescue(t)
		flops := newSheet()
		for _, c := range costs {
			l := full(c.Layer)
			outputs, bias := l.Out*c.OutH*c.OutW, 0
			if l.Bias {
				bias = outputs
			}
			want := 2*c.MACs + bias
			flops.add(fmt.Sprintf("FLOPs(%s, %d, %d)", show(c.Layer), c.H, c.W), receptive.FLOPs(c.Layer, c.H, c.W), want,
				mistake{4*c.MACs + bias, "you doubled twice"},
				mistake{c.MACs, "you returned the multiply-accumulates: each is a product and a sum"},
				mistake{c.MACs + bias, "you counted a multiply-accumulate once: it is two operations, a product and a sum"},
				mistake{2 * c.MACs, "you left the bias out: adding it is one operation an output value"},
				mistake{2*c.MACs + bias/max(c.OutH*c.OutW, 1), "you counted the bias once a channel: it is added to every output value"},
				mistake{2*c.MACs + 2*bias, "you counted two operations for the bias: it is added, not multiplied"},
				mistake{want + outputs - bias, "you counted a bias that the layer does not have"})
		}
		flops.check(t, "the floating-point operations", check.Why("2·MACs, and an addition for every output value that gets a bias"))
	})
	twice := receptive.Layer{In: 4, Out: 8, Kernel: 3, Groups: 4}
	check.Equal(t, "MACs("+show(twice)+", 5, 4)", receptive.MACs(twice, 5, 4), 9*8*3*2, check.Exact, check.Why("each of 8 output channels sees one input channel, at 3×2 positions"))
	pool := receptive.Layer{In: 10, Out: 10, Kernel: 3, Stride: 2, Pool: true}
	check.Equal(t, "MACs(3×3 pool of 10 channels, stride 2; 11, 8)", receptive.MACs(pool, 11, 8), 0, check.Exact,
		check.Why("a pool multiplies nothing"), check.Mistake(9*10*5*3, "you counted a pool's windows as multiply-accumulates"))
	check.Equal(t, "FLOPs(3×3 pool of 10 channels, stride 2; 11, 8)", receptive.FLOPs(pool, 11, 8), 9*10*5*3, check.Exact,
		check.Why("5×3 windows of 9 values in each of 10 channels"),
		check.Mistake(0, "you counted nothing for a pool: it is k² an output value here"),
		check.Mistake(3*10*5*3, "you took k for k²: the window is square"),
		check.Mistake(9*5*3, "you counted one channel: a pool has Out of them"),
		check.Mistake(9*10*11*8, "you took the input map: a window is read for every output value"))
	check.Equal(t, "MACs(3×3 pool of 10 channels, stride 2; 2, 1)", receptive.MACs(pool, 2, 1), 0, check.Exact, check.Why("a pool has none, on any map"))
	odd := receptive.Layer{In: 10, Out: 10, Kernel: 3, Groups: 3, Pool: true, Bias: true, Norm: true}
	check.Equal(t, "MACs(3×3 pool of 10 channels with a bias, a norm and 3 groups; 7, 6)", receptive.MACs(odd, 7, 6), 0, check.Exact)
	check.Equal(t, "FLOPs(3×3 pool of 10 channels with a bias, a norm and 3 groups; 7, 6)", receptive.FLOPs(odd, 7, 6), 9*10*5*4, check.Exact,
		check.Why("a pool has no parameters, whatever Groups, Bias and Norm say; without a stride it has one of 1: 5×4 windows"),
		check.Mistake(10*10*5*4, "you gave a pool a bias"),
		check.Mistake(9*10*2*2, poolsStride))
	check.Panics(t, "MACs of a 5×5 kernel on a 9×4 map", func() { receptive.MACs(receptive.Layer{In: 1, Out: 1, Kernel: 5}, 9, 4) })
	check.Panics(t, "MACs of a 5×5 kernel on a 4×9 map", func() { receptive.MACs(receptive.Layer{In: 1, Out: 1, Kernel: 5}, 4, 9) })
	check.Equal(t, "MACs(5×5 layer of 1 → 1 channels, pad 1; 3, 4)", receptive.MACs(receptive.Layer{In: 1, Out: 1, Kernel: 5, Pad: 1}, 3, 4), 25*1*2, check.Exact,
		check.Why("the kernel is longer than the input, not than the padded one: 1×2 positions"))
	many, large := 9*509*251*223*225, receptive.Layer{In: 509, Out: 251, Kernel: 3, Pad: 1}
	check.Equal(t, "MACs("+show(large)+", 223, 225)", receptive.MACs(large, 223, 225), many, check.Exact, check.Why("9·509·251 products at each of 223·225 positions"),
		check.Mistake(int(int32(many)), "you multiplied in 32 bits: they hold numbers below 2³¹"),
		check.Mistake(int(float32(many)), singly))
	check.Equal(t, "FLOPs("+show(large)+", 223, 225)", receptive.FLOPs(large, 223, 225), 2*many, check.Exact,
		check.Mistake(int(int32(2*many)), "you multiplied in 32 bits: they hold numbers below 2³¹"),
		check.Mistake(int(float32(2*many)), singly))
	values := 1<<32 + 12345
	check.Equal(t, "FLOPs(2×2 pool of 2³²+12345 channels; 2, 2)", receptive.FLOPs(receptive.Layer{In: values, Out: values, Kernel: 2, Pool: true}, 2, 2), 4*values, check.Exact,
		check.Mistake(int(int32(4*values)), "you multiplied in 32 bits: they hold numbers below 2³¹"))
	dilated := receptive.Layer{In: 3, Out: 3, Kernel: 3, Stride: 2, Pad: 1, Dilation: 2, Pool: true}
	check.Equal(t, "FLOPs(3×3 pool of 3 channels, stride 2, pad 1, dilation 2; 9, 6)", receptive.FLOPs(dilated, 9, 6), 9*3*4*2, check.Exact,
		check.Why("4×2 windows of 9 values in each of 3 channels: ⌊(9 + 2 − 5)/2⌋ + 1 and ⌊(6 + 2 − 5)/2⌋ + 1"))
	check.Panics(t, "MACs with 9 → 6 channels in 2 groups", func() { receptive.MACs(receptive.Layer{In: 9, Out: 6, Kernel: 3, Groups: 2}, 9, 9) })
	check.Panics(t, "FLOPs of a 3×3 pool on an 8×2 map", func() { receptive.FLOPs(pool, 8, 2) })
	check.Panics(t, "FLOPs of a 5×5 kernel on a 9×4 map", func() { receptive.FLOPs(receptive.Layer{In: 1, Out: 1, Kernel: 5, Bias: true}, 9, 4) })
	check.Panics(t, "FLOPs of a 5×5 kernel on a 4×9 map", func() { receptive.FLOPs(receptive.Layer{In: 1, Out: 1, Kernel: 5}, 4, 9) })
	check.Panics(t, "FLOPs with 6 → 9 channels in 2 groups", func() { receptive.FLOPs(receptive.Layer{In: 6, Out: 9, Kernel: 3, Groups: 2}, 9, 9) })
	check.Panics(t, "FLOPs with 9 → 6 channels in 2 groups", func() { receptive.FLOPs(receptive.Layer{In: 9, Out: 6, Kernel: 3, Groups: 2, Bias: true}, 9, 9) })
	check.Independent(t, "MACs(l, h, w)", receptive.MACs, check.Args{stacks()[0][0], 11, 12}, check.Args{stacks()[1][0], 20, 21})
	check.Independent(t, "FLOPs(l, h, w)", receptive.FLOPs, check.Args{stacks()[0][0], 11, 12}, check.Args{stacks()[1][0], 20, 21})
	check.Panics(t, "MACs with 6 → 9 channels in 2 groups", func() { receptive.MACs(receptive.Layer{In: 6, Out: 9, Kernel: 3, Groups: 2}, 9, 9) })
	check.Panics(t, "FLOPs of a 3×3 pool on a 2×8 map", func() { receptive.FLOPs(pool, 2, 8) })
}

func TestNetwork(t *testing.T) {
	defer check.Rescue(t)
	const none = -1
	allParams, allMACs, returned := newSheet(), newSheet(), 0
	for _, c := range check.Golden[networkCase](t, "networks") {
		call := fmt.Sprintf("%s: Network(%s; %d)", c.Name, showAll(c.Layers), c.Size)
		params, macs := none, none
		t.Run(c.Name, func(t *testing.T) { // a layer that gets the map of another may not fit
			defer check.Rescue(t)
			p, m, err := receptive.Network(c.Layers, c.Size)
			require.NoError(t, err, call)
			params, macs = p, m
			returned++
		})
		allParams.add(call+" params", params, c.Params)
		allMACs.add(call+" macs", macs, c.MACs,
			mistake{
				c.total(func(_ receptive.Layer, _, out int) (counted, next int) { return c.Size, out }),
				"you counted every layer on the first map: a layer's input is the output of the one before",
			},
			mistake{
				c.total(func(_ receptive.Layer, _, out int) (counted, next int) { return out, out }),
				"you gave MACs the layer's output map: it wants the input's",
			},
			mistake{c.total(func(l receptive.Layer, in, out int) (counted, next int) {
				if l.Pool {
					return in, in
				}
				return in, out
			}), "you let a pool leave the map as it is: it has a stride too"})
	}
	if returned > 0 {
		allMACs.check(t, "the multiply-accumulates of networks, −1 where it did not return,", check.Why("every layer counts on the map that the layers before it leave"))
	}
	if returned == len(allParams.want) {
		allParams.check(t, "the parameters of networks", check.Why("the sum over the layers, whatever the map"))
	}
	check.Independent(t, "Network(layers, size)", receptive.Network, check.Args{stacks()[0], 40}, check.Args{stacks()[1], 50})
	if t.Failed() {
		return // whether a layer fits depends on the maps
	}
	layers := []receptive.Layer{
		{Name: "conv1", In: 3, Out: 4, Kernel: 3},
		{Name: "pool1", In: 4, Out: 4, Kernel: 2, Stride: 2, Pool: true},
		{Name: "conv2", In: 4, Out: 4, Kernel: 5},
		{Name: "conv3", In: 4, Out: 4, Kernel: 1},
	}
	var passedOver []check.Option
	if _, err := receptive.OutputSize(3, layers[2]); err != nil {
		passedOver = append(passedOver, check.Mistake(false, "you passed over the error of OutputSize"))
	}
	for _, n := range []int{3, 4} { // conv2 is the last layer, or one follows
		_, _, err := receptive.Network(layers[:n], 8)
		call := "Network(" + showAll(layers[:n]) + "; 8)"
		if check.Equal(t, call+" returns an error", err != nil, true, check.Exact,
			append(passedOver, check.Why("conv2 gets a map of 3×3"))...) {
			check.Fails(t, call, err, "conv2")
		}
	}
	pool := []receptive.Layer{{Name: "conv1", In: 3, Out: 4, Kernel: 3}, {Name: "pool1", In: 4, Out: 4, Kernel: 7, Pool: true}, {Name: "conv2", In: 4, Out: 4, Kernel: 1}}
	_, _, err := receptive.Network(pool, 8)
	check.Fails(t, "Network("+showAll(pool)+"; 8), where pool1 gets a map of 6×6,", err, "pool1")
	grouped := func(in, out int) func() {
		return func() {
			_, _, _ = receptive.Network([]receptive.Layer{{Name: "conv1", In: 3, Out: in, Kernel: 3}, {Name: "conv2", In: in, Out: out, Kernel: 3, Groups: 2}}, 12)
		}
	}
	check.Panics(t, "Network with 9 → 9 channels in 2 groups", grouped(9, 9))
	check.Panics(t, "Network with 9 → 8 channels in 2 groups", grouped(9, 8))
	check.Panics(t, "Network with 8 → 9 channels in 2 groups", grouped(8, 9))
	params, macs, err := receptive.Network(nil, 12)
	require.NoError(t, err, "Network without layers")
	check.Equal(t, "Network(no layers; 12) params and macs", []int{params, macs}, []int{0, 0}, check.Exact)
	same := receptive.Layer{In: 2, Out: 2, Kernel: 3, Pad: 1, Bias: true}
	params, macs, err = receptive.Network([]receptive.Layer{same, same, same}, 4)
	require.NoError(t, err, "Network of three layers that are the same")
	check.Equal(t, "Network(three times "+show(same)+"; 4) params and macs", []int{params, macs}, []int{3 * (9*2*2 + 2), 3 * 9 * 2 * 2 * 16}, check.Exact,
		check.Why("every layer has weights of its own, whatever its name"))
	dilated := []receptive.Layer{{Name: "pool1", In: 3, Out: 3, Kernel: 3, Stride: 2, Pad: 1, Dilation: 2, Pool: true}, {Name: "conv1", In: 3, Out: 5, Kernel: 5, Pad: 1, Norm: true}}
	params, macs, err = receptive.Network(dilated, 9)
	require.NoError(t, err, "Network(%s; 9): pool1 leaves a map of 4×4, which conv1 pads to 6×6", showAll(dilated))
	check.Equal(t, "Network("+showAll(dilated)+"; 9) params and macs", []int{params, macs}, []int{25*3*5 + 2*5, 25 * 3 * 5 * 2 * 2}, check.Exact,
		check.Why("pool1 leaves a map of 4×4, which conv1 pads to 6×6"))
}

func TestEffectiveStd(t *testing.T) {
	defer check.Rescue(t)
	type spreadCase struct {
		layers []receptive.Layer
		want   float64
		field  int // all it sees
	}
	cases := map[string]spreadCase{
		"one layer":                 {[]receptive.Layer{{Kernel: 3}}, math.Sqrt(2.0 / 3), 3},                                                               // −1, 0 and 1, each 1/3
		"a 1×1 layer with a stride": {[]receptive.Layer{{Kernel: 1, Stride: 2}, {Kernel: 2}}, 1, 3},                                                        // 0 and 2, each 1/2
		"a dilated pool":            {[]receptive.Layer{{Kernel: 3, Dilation: 2, Pool: true}}, 2 * math.Sqrt(2.0/3), 5},                                    // −2, 0 and 2, each 1/3
		"pools without a stride":    {[]receptive.Layer{{Kernel: 2, Pool: true}, {Kernel: 2, Pool: true}, {Kernel: 1, Pool: true}}, math.Sqrt(1.0 / 2), 3}, // ¼, ½, ¼
	}
	for _, c := range check.Golden[chainCase](t, "chains") {
		cases[c.Name] = spreadCase{c.Layers, c.Std, c.Last[0] - c.First[0] + 1}
	}
	each := func(f func(c spreadCase) float64) map[string]float64 {
		found := map[string]float64{}
		for name, c := range cases {
			found[name+": "+showAll(c.layers)] = f(c)
		}
		return found
	}
	spread := func(of func(l receptive.Layer, jump float64) float64) func(c spreadCase) float64 {
		return func(c spreadCase) float64 {
			total, jump := 0.0, 1.0
			for _, l := range c.layers {
				l = full(l)
				total += of(l, jump)
				jump *= float64(l.Stride)
			}
			return total
		}
	}
	root := func(of func(l receptive.Layer, jump float64) float64) map[string]float64 {
		return each(func(c spreadCase) float64 { return math.Sqrt(spread(of)(c)) })
	}
	flat := func(l receptive.Layer) float64 { return float64(l.Kernel*l.Kernel-1) / 12 }
	step := func(l receptive.Layer, jump float64) float64 { return jump * float64(l.Dilation) }
	t.Run("all cases", func(t *testing.T) {
		defer check.Rescue(t)
		check.Equal(t, "EffectiveStd of", each(func(c spreadCase) float64 { return receptive.EffectiveStd(c.layers) }), each(func(c spreadCase) float64 { return c.want }), check.Rel(1e-9),
			check.Why("one unit's gradient, measured over the pixels, has this standard deviation"),
			check.Mistake(each(func(c spreadCase) float64 { return c.want * c.want }), "you returned the variance: take its root"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				return math.Pow(step(l, jump)*float64(l.Kernel-1), 2) / 12
			}), "you took (k − 1)²/12, the variance of a continuous interval from the first tap to the last: k separate taps have (k² − 1)/12"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				return math.Pow(step(l, jump)*float64(l.Kernel-1), 2) / 4
			}), "you took (k − 1)/2, the farthest tap, for the standard deviation: average the squares over all k taps"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				return math.Pow(step(l, jump)*float64(l.Kernel), 2) / 12
			}), "you took k²/12, the variance of a continuous interval: k separate taps have (k² − 1)/12"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				return math.Pow(step(l, jump), 2) * flat(l) * float64(l.Kernel) / float64(l.Kernel-1)
			}), "you divided by k − 1: the taps are all there are, so the mean of the squares divides by k"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 { return step(l, jump) * flat(l) }),
				"you did not square the distance of the taps: a variance grows with its square"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 { return jump * jump * flat(l) }),
				"you ignored dilation: the taps are jump·dilation pixels apart"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				span := float64(l.Dilation*(l.Kernel-1) + 1)
				return jump * jump * (span*span - 1) / 12
			}), "you took every pixel that a dilated kernel spans for a tap: only k of them are"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				return math.Pow(step(l, jump)*float64(l.Stride), 2) * flat(l)
			}), "you multiplied the jump by the layer's stride before you used it: the taps lie on the map before the layer"),
			check.Mistake(root(func(l receptive.Layer, _ float64) float64 { return float64(l.Dilation*l.Dilation) * flat(l) }),
				"you left the jump out: a step of this layer is jump pixels of the input"),
			check.Mistake(root(func(l receptive.Layer, jump float64) float64 {
				if l.Pool {
					return 0
				}
				return math.Pow(step(l, jump), 2) * flat(l)
			}), "you skipped the kernels of pools: they spread the weight as those of convolutions do"),
			check.Mistake(each(spread(func(l receptive.Layer, jump float64) float64 { return step(l, jump) * math.Sqrt(flat(l)) })),
				"you added standard deviations: it is variances that add"),
			check.Mistake(each(func(c spreadCase) float64 { return math.Sqrt(float64(c.field*c.field-1) / 12) }), "you took the whole field for uniform: only each kernel is"))
	})
	check.Equal(t, "EffectiveStd of no layers", receptive.EffectiveStd(nil), 0.0, check.Abs(1e-12), check.Why("one pixel has no spread"))
	check.Independent(t, "EffectiveStd(layers)", receptive.EffectiveStd, check.Args{stacks()[0]}, check.Args{stacks()[1]})
}

// stacks returns two stacks of layers that differ in all they have.
func stacks() [2][]receptive.Layer {
	return [2][]receptive.Layer{
		{{Name: "a", In: 4, Out: 6, Kernel: 3, Stride: 2, Pad: 1, Groups: 2, Bias: true}, {Name: "b", In: 6, Out: 8, Kernel: 2, Dilation: 2}},
		{{Name: "c", In: 3, Out: 5, Kernel: 5, Stride: 3, Pad: 2, Norm: true}, {Name: "d", In: 5, Out: 5, Kernel: 3, Pool: true}},
	}
}

// chainCase is layers along one axis, and the first and the last pixel with a gradient at unit and unit + 1.
type chainCase struct {
	Name        string
	Layers      []receptive.Layer
	Unit        int
	First, Last []int
	Std         float64
}

// costCase is a layer on a map of H×W.
type costCase struct {
	Name         string
	Layer        receptive.Layer
	H, W         int
	OutH, OutW   int
	Params, MACs int
}

// weights is the number of products an output position of all channels takes.
func (c costCase) weights() int { return c.MACs / (c.OutH * c.OutW) }

type networkCase struct {
	Name         string
	Layers       []receptive.Layer
	Size         int
	Params, MACs int
}

// total adds up multiply-accumulates as a wrong program would: of each layer it counts those on the map counted, and goes
// on with the map next. It returns −1 where a kernel does not fit.
func (c networkCase) total(wrong func(l receptive.Layer, in, out int) (counted, next int)) int {
	total, size := 0, c.Size
	for _, l := range c.Layers {
		l = full(l)
		outOf := func(in int) int { return (in + 2*l.Pad - l.Dilation*(l.Kernel-1) - 1 + l.Stride) / l.Stride }
		counted, next := wrong(l, size, outOf(size))
		if next < 1 || !l.Pool && outOf(counted) < 1 {
			return -1
		}
		if !l.Pool {
			total += l.Kernel * l.Kernel * l.In / l.Groups * l.Out * outOf(counted) * outOf(counted)
		}
		size = next
	}
	return total
}

// mistake is a value that a wrong program would return.
type mistake struct {
	value int
	says  string
}

// sheet collects cases of one function, so that a mistake is named only where it explains the answers to all: of single whole numbers two
// mistakes often agree.
type sheet struct {
	got, want map[string]int
	slips     []string         // what they say, the same of every case
	values    []map[string]int // by slip and case
}

func newSheet() *sheet { return &sheet{got: map[string]int{}, want: map[string]int{}} }

// add adds a case, and what each mistake makes of it, in the same order for every case.
func (s *sheet) add(call string, got, want int, mistakes ...mistake) {
	s.got[call], s.want[call] = got, want
	for i, m := range mistakes {
		if i == len(s.slips) {
			s.slips, s.values = append(s.slips, m.says), append(s.values, map[string]int{})
		}
		s.values[i][call] = m.value
	}
}

// check compares all cases at once. A mistake that leaves all right, or does what an earlier one does, gets no name.
func (s *sheet) check(t *testing.T, what string, opts ...check.Option) bool {
	t.Helper()
	var others []map[string]int
	for i, says := range s.slips {
		wrong := s.values[i]
		if len(wrong) < len(s.want) || maps.Equal(wrong, s.want) || slices.ContainsFunc(others, func(o map[string]int) bool { return maps.Equal(o, wrong) }) {
			continue
		}
		others = append(others, wrong)
		opts = append(opts, check.Mistake(wrong, says))
	}
	return check.Equal(t, what, s.got, s.want, check.Exact, opts...)
}

// full returns l with its zeros read as ones.
func full(l receptive.Layer) receptive.Layer {
	l.Stride, l.Dilation, l.Groups = max(l.Stride, 1), max(l.Dilation, 1), max(l.Groups, 1)
	return l
}

// sum adds up f over the full layers, each with the jump before it.
func sum(layers []receptive.Layer, f func(l receptive.Layer, jump int) int) int {
	total, jump := 0, 1
	for _, l := range layers {
		l = full(l)
		total += f(l, jump)
		jump *= l.Stride
	}
	return total
}

// show writes a layer as a person would.
func show(l receptive.Layer) string {
	what := "conv"
	if l.Pool {
		what = "pool"
	}
	s := fmt.Sprintf("%s %d×%d", what, l.Kernel, l.Kernel)
	if l.In > 0 && !l.Pool {
		s += fmt.Sprintf(" %d→%d", l.In, l.Out)
	}
	for _, o := range []struct {
		name  string
		value int
	}{{"stride", l.Stride}, {"pad", l.Pad}, {"dilation", l.Dilation}, {"groups", l.Groups}} {
		if o.value > 0 {
			s += fmt.Sprintf(" %s %d", o.name, o.value)
		}
	}
	if l.Bias {
		s += " bias"
	}
	if l.Norm {
		s += " norm"
	}
	return s
}

func showAll(layers []receptive.Layer) string {
	var all []string
	for _, l := range layers {
		all = append(all, show(l))
	}
	return strings.Join(all, "; ")
}
