package parallelism_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	parallelism "whyhow/katas/q12-parallelism"
)

const classes = 10

// softmaxRegression returns the mean cross-entropy of the digits under the linear classifier w, features×classes row by row, and its gradient.
func softmaxRegression(set digits.Set, w []float64) (loss float64, grad []float64) {
	n, features := set.X.Dims()
	grad = make([]float64, len(w))
	scores := product(set.X, mat.NewDense(features, classes, w))
	for i := range n {
		row := scores.RawRowView(i)
		logSum := floats.LogSumExp(row)
		loss += (logSum - row[set.Labels[i]]) / float64(n)
		for k, score := range row {
			row[k] = math.Exp(score-logSum) / float64(n)
		}
		row[set.Labels[i]] -= 1 / float64(n)
	}
	mat.NewDense(features, classes, grad).Mul(set.X.T(), scores)
	return loss, grad
}

func normal(rng *rand.Rand, rows, columns int, std float64) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, std))
}

// span returns the rows [from, to).
func span(set digits.Set, from, to int) digits.Set {
	index := make([]int, to-from)
	for i := range index {
		index[i] = from + i
	}
	return set.Rows(index)
}

func distance(a, b []float64) float64 { return floats.Distance(a, b, 2) / floats.Norm(b, 2) }

func TestWhyReplicas(t *testing.T) {
	defer check.Rescue(t)
	const rows, steps, rate = 203, 30, 0.5
	rng := check.Rand(t)
	batch, _ := digits.Split(rows, rng)
	_, features := batch.X.Dims()

	// Unequal shards: what each worker computes is the mean over its own examples.
	w := normal(rng, features, classes, 0.1).RawMatrix().Data
	sizes, from := []int{120, 60, 20, 3}, 0
	grads := make([][]float64, len(sizes))
	for k, n := range sizes {
		_, grads[k] = softmaxRegression(span(batch, from, from+n), w)
		from += n
	}
	_, whole := softmaxRegression(batch, w)
	weighted := distance(parallelism.WeightedMean(grads, sizes), whole)
	plain := distance(combined(grads, constant(len(sizes), 1/float64(len(sizes)))), whole)
	t.Logf("shards of %v: the weighted mean is off the gradient of the whole batch by %.1e, the mean of the means by %.0f %%", sizes, weighted, 100*plain)
	require.Less(t, weighted, 1e-12)
	// Over 40 seeds the mean of the means is off by 43 to 124 %.
	require.Greater(t, plain, 0.1)

	// Four replicas, a ring every step.
	const world = 4
	alone := slices.Clone(w)
	replicas := make([][]float64, world)
	for k := range replicas {
		replicas[k] = slices.Clone(w)
	}
	shards := parallelism.Shards(rows, world)
	var ticks, lossAlone, lossTogether []float64
	for step := range steps {
		loss, grad := softmaxRegression(batch, alone)
		floats.AddScaled(alone, -rate, grad)
		losses := make([]float64, world)
		run(t, world, func(rank int, send chan<- []float64, recv <-chan []float64) {
			shard := span(batch, shards[rank][0], shards[rank][1])
			share := float64(shard.Len()) / rows
			own, grad := softmaxRegression(shard, replicas[rank])
			losses[rank] = share * own
			floats.Scale(share, grad)
			parallelism.RingWorker(rank, world, grad, send, recv)
			floats.AddScaled(replicas[rank], -rate, grad)
		}).mustEnd(t)
		ticks, lossAlone, lossTogether = append(ticks, float64(step)), append(lossAlone, loss), append(lossTogether, floats.Sum(losses))
	}
	t.Logf("%d steps on %d rows: loss %.4f on one machine, %.4f on %d workers with shards %v; the weights differ by %.1e",
		steps, rows, lossAlone[steps-1], lossTogether[steps-1], world, shards, distance(replicas[0], alone))
	require.Less(t, distance(replicas[0], alone), 1e-10)
	for k := range replicas {
		check.Equal(t, fmt.Sprintf("the weights of replica %d", k), replicas[k], replicas[0], check.Exact,
			check.Why("the ring hands every worker the same bits, so that replicas never drift apart"))
	}

	// What a worker sends, for a vector that 1 to 8 workers divide evenly.
	const length = 840
	var workers, ring, everyone []float64
	for n := 1; n <= 8; n++ {
		r := run(t, n, func(rank int, send chan<- []float64, recv <-chan []float64) {
			parallelism.RingWorker(rank, n, make([]float64, length), send, recv)
		})
		r.mustEnd(t)
		for k := range n {
			require.Equal(t, 2*(n-1)*length/n, r.sent(k), "values sent by worker %d of %d", k, n)
		}
		workers = append(workers, float64(n))
		ring, everyone = append(ring, float64(r.sent(0))), append(everyone, float64((n-1)*length))
	}
	t.Logf("values that a worker of 1…8 sends to sum vectors of %d: ring %v, each to all others %v", length, ring, everyone)
	r := run(t, world, func(rank int, send chan<- []float64, recv <-chan []float64) {
		parallelism.RingWorker(rank, world, make([]float64, 10), send, recv)
	})
	t.Logf("10 values, 4 workers: they send %d, %d, %d, %d", r.sent(0), r.sent(1), r.sent(2), r.sent(3))
	require.Equal(t, 60, r.total())

	figure.Save(t, "replicas", figure.Figure{
		Title:   "Replicas train as one machine does, and send less than two gradients a step",
		Caption: "Left: softmax regression on 203 digits, one machine against four workers. Right: values a worker sends to sum gradients of 840.",
		Panels: []figure.Panel{
			{
				X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "mean cross-entropy"},
				Series: []figure.Series{
					{Name: "one machine", X: ticks, Y: lossAlone}, {Name: "four workers", X: ticks, Y: lossTogether, Mark: figure.Points},
				},
			},
			{
				X: figure.Axis{Label: "workers"}, Y: figure.Axis{Label: "values sent by a worker"},
				Series: []figure.Series{
					{Name: "each to all others", X: workers, Y: everyone, Mark: figure.Dashed},
					{Name: "ring, as counted", X: workers, Y: ring, Mark: figure.LinePoints},
					{Name: "two gradients", X: []float64{1, 8}, Y: []float64{2 * length, 2 * length}},
				},
			},
		},
	})
}

// columnStats returns the mean and the biased variance of every column.
func columnStats(x mat.Matrix) (mean, variance []float64) {
	_, columns := x.Dims()
	for j := range columns {
		m, v := stat.PopMeanVariance(mat.Col(nil, j, x), nil)
		mean, variance = append(mean, m), append(variance, v)
	}
	return mean, variance
}

func TestWhyBatchNorm(t *testing.T) {
	defer check.Rescue(t)
	const rows, features, eps = 64, 16, 1e-5
	rng := check.Rand(t)
	batch, _ := digits.Split(rows, rng)
	x := product(batch.X, normal(rng, 64, features, math.Sqrt(2.0/64)))
	normalised := func(from, to int, mean, variance []float64) []float64 {
		var out []float64
		for i := from; i < to; i++ {
			for j := range features {
				out = append(out, (x.At(i, j)-mean[j])/math.Sqrt(variance[j]+eps))
			}
		}
		return out
	}
	mean, variance := columnStats(x)
	want := normalised(0, rows, mean, variance)

	var perWorker, apart, together []float64
	for _, world := range []int{1, 2, 4, 8, 16, 32} {
		var own, merged []float64
		n := make([]int, world)
		means, variances := make([][]float64, world), make([][]float64, world)
		shards := parallelism.Shards(rows, world)
		for k, s := range shards {
			n[k] = s[1] - s[0]
			means[k], variances[k] = columnStats(x.Slice(s[0], s[1], 0, features))
			own = append(own, normalised(s[0], s[1], means[k], variances[k])...)
		}
		m, v := parallelism.MergeStats(n, means, variances)
		for _, s := range shards {
			merged = append(merged, normalised(s[0], s[1], m, v)...)
		}
		rms := func(got []float64) float64 { return floats.Distance(got, want, 2) / math.Sqrt(float64(len(want))) }
		perWorker, apart, together = append(perWorker, float64(rows/world)), append(apart, rms(own)), append(together, rms(merged))
		t.Logf("%2d workers of %2d rows: normalised values off by %.3f (rms) with a worker's own statistics, by %.1e with merged ones", world, rows/world, rms(own), rms(merged))
		require.Less(t, rms(merged), 1e-9)
	}
	// Over 40 seeds: 2 workers [0.11,0.21], 4 [0.21,0.34], 8 [0.35,0.47], 16 [0.57,0.69], 32 [0.88,0.97].
	require.Less(t, apart[1], 0.4, "2 workers of 32 rows")
	require.Greater(t, apart[4], 0.4, "16 workers of 4 rows")

	figure.Save(t, "batch-norm", figure.Figure{
		Title:   "Batch norm sees the shard, not the batch",
		Caption: "64 digits through a random layer of 16 features, divided among 1 to 32 workers. The error is that of the normalised values, whose standard deviation is 1.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "rows a worker", Log: true}, Y: figure.Axis{Label: "error of normalised values (rms)"},
			Series: []figure.Series{
				{Name: "each worker's own statistics", X: perWorker, Y: apart, Mark: figure.LinePoints},
				{Name: "merged statistics", X: perWorker, Y: together, Mark: figure.LinePoints},
			},
		}},
	})
}

func TestWhyPartition(t *testing.T) {
	defer check.Rescue(t)
	const world, units = 4, 30
	rng := check.Rand(t)
	batch, _ := digits.Split(20, rng)
	a, b := normal(rng, 64, units, math.Sqrt(2.0/64)), normal(rng, units, classes, math.Sqrt(2.0/units))
	want := product(relu(product(batch.X, a)), b).RawMatrix().Data
	outputs := make([][]float64, world)
	r := run(t, world, func(rank int, send chan<- []float64, recv <-chan []float64) {
		outputs[rank] = mat.DenseCopyOf(parallelism.MLPShard(batch.X, a, b, rank, world)).RawMatrix().Data
		parallelism.RingWorker(rank, world, outputs[rank], send, recv)
	})
	r.mustEnd(t)
	for rank, shard := range parallelism.Shards(units, world) {
		held := (shard[1] - shard[0]) * (64 + classes)
		t.Logf("worker %d holds %d of %d weights; its output after one all-reduce is off by %.1e", rank, held, units*(64+classes), distance(outputs[rank], want))
		require.Less(t, distance(outputs[rank], want), 1e-12)
	}

	idle := func(grid [][]int) (share float64) {
		cells := slices.Concat(grid...)
		for _, m := range cells {
			if m < 0 {
				share += 1 / float64(len(cells))
			}
		}
		return share
	}
	for _, c := range [][2]int{{4, 4}, {4, 16}, {8, 32}} {
		counted, formula := idle(parallelism.Schedule(c[0], c[1])), parallelism.Bubble(c[0], c[1])
		t.Logf("%d stages, %2d microbatches: %.4f of the schedule is idle, Bubble says %.4f", c[0], c[1], counted, formula)
		require.InDelta(t, formula, counted, 1e-12)
	}

	const stages, microbatches = 4, 8
	var cells [][]float64
	for _, row := range parallelism.Schedule(stages, microbatches) {
		var line []float64
		for _, m := range row {
			if m < 0 {
				line = append(line, math.NaN())
			} else {
				line = append(line, float64(m))
			}
		}
		cells = append(cells, line)
	}
	var bubbles []figure.Series
	for _, stages := range []int{2, 4, 8, 16} {
		s := figure.Series{Name: fmt.Sprintf("%d stages", stages)}
		for m := 1; m <= 64; m *= 2 {
			s.X, s.Y = append(s.X, float64(m)), append(s.Y, idle(parallelism.Schedule(stages, m)))
		}
		s.Mark = figure.LinePoints
		bubbles = append(bubbles, s)
	}
	figure.Save(t, "schedule", figure.Figure{
		Title:   fmt.Sprintf("A pipeline of 4 stages fills and drains: with 8 microbatches %.0f %% of the cells are idle", 100*idle(parallelism.Schedule(stages, microbatches))),
		Caption: "The microbatch that each stage works on in each tick, forward only. Cells without a number are idle: the bubble.",
		Panels:  []figure.Panel{{X: figure.Axis{Label: "tick"}, Y: figure.Axis{Label: "stage"}, Heat: &figure.Heat{Values: cells, Numbers: true, Min: new(-4.0), Max: new(20.0)}}},
	})
	figure.Save(t, "bubble", figure.Figure{
		Title:   "More microbatches shrink the bubble, more stages swell it",
		Caption: "The idle share of all stage-ticks, counted from the schedule.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "microbatches", Log: true}, Y: figure.Axis{Label: "idle share", Min: new(0.0), Max: new(1.0)}, Series: bubbles,
		}},
	})
}
