//go:build hidden

package receptive_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q11-receptive-field"
	reference "whyhow/solutions/q11-receptive-field"
)

// hiddenLayer draws a convolution or a pool of in channels.
func hiddenLayer(rng *rand.Rand, in int) reference.Layer {
	l := reference.Layer{
		Name: fmt.Sprint("layer", rng.IntN(1000)), In: in, Out: in, Kernel: 1 + rng.IntN(5), Stride: rng.IntN(4), Pad: rng.IntN(3), Dilation: rng.IntN(4),
		Groups: []int{0, 1, in}[rng.IntN(3)], Bias: rng.IntN(2) == 0, Norm: rng.IntN(2) == 0, Pool: rng.IntN(4) == 0,
	}
	if !l.Pool {
		l.Out = in * (1 + rng.IntN(2))
	}
	return l
}

// hiddenNetwork draws layers, or none, each of which takes the channels of the one before.
func hiddenNetwork(rng *rand.Rand) (layers []reference.Layer) {
	in := 1 + rng.IntN(6)
	for range rng.IntN(8) {
		l := hiddenLayer(rng, in)
		layers, in = append(layers, l), l.Out
	}
	return layers
}

// hiddenOwn are the layers as the learner's.
func hiddenOwn(layers ...reference.Layer) (own []learner.Layer) {
	for _, l := range layers {
		own = append(own, learner.Layer(l))
	}
	return own
}

// hiddenIndivisible is l with groups that do not divide its channels: more than it has inputs.
func hiddenIndivisible(rng *rand.Rand, l reference.Layer) reference.Layer {
	l.Pool, l.Groups = false, l.In+1+rng.IntN(3)
	return l
}

func hiddenShow(layers ...reference.Layer) check.Option {
	return check.With("layers", fmt.Sprintf("%+v", layers))
}

func TestHiddenOutputSize(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 500 {
		l, in := hiddenLayer(rng, 3), 1+rng.IntN(20)
		want, wantErr := reference.OutputSize(in, l)
		got, err := learner.OutputSize(in, learner.Layer(l))
		call := fmt.Sprintf("OutputSize(%d, %+v)", in, l)
		if wantErr != nil {
			check.Fails(t, call, err)
		} else if check.Equal(t, call+" returns an error", err != nil, false, check.Exact) {
			check.Equal(t, call, got, want, check.Exact)
		}
	}
}

func TestHiddenField(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		want := hiddenNetwork(rng)
		got := hiddenOwn(want...)
		size, jump, pad := learner.Field(got)
		wantSize, wantJump, wantPad := reference.Field(want)
		check.Equal(t, "Field(layers)", []int{size, jump, pad}, []int{wantSize, wantJump, wantPad}, check.Exact, hiddenShow(want...))
		unit := rng.IntN(9)
		first, last := learner.Span(got, unit)
		wantFirst, wantLast := reference.Span(want, unit)
		check.Equal(t, fmt.Sprintf("Span(layers, %d)", unit), []int{first, last}, []int{wantFirst, wantLast}, check.Exact, hiddenShow(want...))
		check.Equal(t, "the layers after Field and Span", got, hiddenOwn(want...), check.Exact)
	}
}

func TestHiddenParams(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		l := hiddenLayer(rng, 1+rng.IntN(40))
		check.Equal(t, fmt.Sprintf("Params(%+v)", l), learner.Params(learner.Layer(l)), reference.Params(l), check.Exact)
		l = hiddenIndivisible(rng, l)
		check.Panics(t, fmt.Sprintf("Params(%+v)", l), func() { learner.Params(learner.Layer(l)) })
	}
	// Groups that divide the outputs alone, and the inputs alone.
	check.Panics(t, "Params of groups that do not divide In", func() { learner.Params(learner.Layer{In: 2*rng.IntN(9) + 1, Out: 4, Kernel: 3, Groups: 2}) })
	check.Panics(t, "Params of groups that do not divide Out", func() { learner.Params(learner.Layer{In: 4, Out: 2*rng.IntN(9) + 1, Kernel: 3, Groups: 2}) })
}

func TestHiddenMACs(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 300 {
		l, h, w := hiddenLayer(rng, 1+rng.IntN(20)), 1+rng.IntN(40), 1+rng.IntN(40)
		if rng.IntN(4) == 0 {
			h, w = 1+rng.IntN(100_000), 1+rng.IntN(100_000)
		}
		own, call := learner.Layer(l), fmt.Sprintf("(%+v, %d, %d)", l, h, w)
		_, errH := reference.OutputSize(h, l)
		_, errW := reference.OutputSize(w, l)
		fits := errH == nil && errW == nil
		if fits || l.Pool {
			check.Equal(t, "MACs"+call, learner.MACs(own, h, w), reference.MACs(l, h, w), check.Exact)
		} else {
			check.Panics(t, "MACs"+call, func() { learner.MACs(own, h, w) })
		}
		if fits {
			check.Equal(t, "FLOPs"+call, learner.FLOPs(own, h, w), reference.FLOPs(l, h, w), check.Exact)
		} else {
			check.Panics(t, "FLOPs"+call, func() { learner.FLOPs(own, h, w) })
		}
		l = hiddenIndivisible(rng, l)
		call = fmt.Sprintf("(%+v, 40, 40)", l)
		check.Panics(t, "MACs"+call, func() { learner.MACs(learner.Layer(l), 40, 40) })
		check.Panics(t, "FLOPs"+call, func() { learner.FLOPs(learner.Layer(l), 40, 40) })
	}
}

func TestHiddenNetwork(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 200 {
		layers, side := hiddenNetwork(rng), 3+rng.IntN(60)
		call := fmt.Sprintf("Network(layers, %d)", side)
		params, macs, err := learner.Network(hiddenOwn(layers...), side)
		wantParams, wantMACs, wantErr := reference.Network(layers, side)
		if wantErr != nil {
			size := side
			for _, l := range layers {
				next, err := reference.OutputSize(size, l)
				if err != nil {
					wantErr = fmt.Errorf("%s", l.Name)
					break
				}
				size = next
			}
			check.Fails(t, call, err, wantErr.Error())
		} else if check.Equal(t, call+" returns an error", err != nil, false, check.Exact, hiddenShow(layers...)) {
			check.Equal(t, call, []int{params, macs}, []int{wantParams, wantMACs}, check.Exact, hiddenShow(layers...))
		}
		bad := hiddenIndivisible(rng, reference.Layer{In: 3, Out: 3, Kernel: 1})
		check.Panics(t, fmt.Sprintf("Network of %+v", bad), func() { learner.Network(hiddenOwn(bad), side) })
	}
}

func TestHiddenEffectiveStd(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for range 100 {
		layers := hiddenNetwork(rng)
		check.Equal(t, "EffectiveStd(layers)", learner.EffectiveStd(hiddenOwn(layers...)), reference.EffectiveStd(layers), check.Rel(1e-9), hiddenShow(layers...))
	}
}
