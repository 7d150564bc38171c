// Benchloop measures the loop that a learner waits for, save -> verdict, against plain go test limited to the same
// steps. It works in a temporary copy, so that it may edit: the reference is the learner's file, one line of it changes before
// every run, and no two runs see the same text, so that neither side finds its work done in the build cache.
//
//	go run ./benchloop [-kata q05] [-pairs 15]
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

func main() {
	kata := flag.String("kata", "", "the kata to edit; default: the first that has a reference")
	pairs := flag.Int("pairs", 15, "how many times each side runs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := measure(ctx, *kata, *pairs); err != nil {
		fmt.Fprintf(os.Stderr, "benchloop: %v\n", err)
		if hint := workbook.HintOf(err); hint != "" {
			fmt.Fprintf(os.Stderr, "hint: %s\n", hint)
		}
		stop()
		os.Exit(3)
	}
}

func measure(ctx context.Context, name string, pairs int) error {
	b, err := newBench(name)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.runner.Root)
	fmt.Printf("%s, %d pairs a line\n", b.kata.Name, pairs)
	for _, scope := range []struct {
		name string
		why  bool
	}{{"ratio", false}, {"ratio with why", true}} {
		plain, ours, ratio, err := b.compare(ctx, pairs, scope.why)
		if err != nil {
			return err
		}
		fmt.Printf("%s %.2f\n", scope.name, ratio)
		fmt.Printf("  go test %.2f s, kata %.2f s (medians)\n", plain.Seconds(), ours.Seconds())
	}
	return nil
}

type bench struct {
	runner *gotest.Runner
	kata   *workbook.Kata
	source []byte // the reference
	edits  int
}

// newBench copies what a kata needs to a temporary folder.
func newBench(name string) (*bench, error) {
	w, err := workbook.Open(".")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(w.Katas, func(k *workbook.Kata) bool {
		_, err := os.Stat(k.Reference())
		return err == nil && k.Err == nil
	})
	if i < 0 {
		return nil, fmt.Errorf("no kata has a reference")
	}
	kata := w.Katas[i]
	if name != "" {
		if kata, err = w.Find(name); err != nil {
			return nil, err
		}
	}
	source, err := os.ReadFile(kata.Reference())
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "benchloop-")
	if err != nil {
		return nil, err
	}
	b := &bench{source: source}
	if err := b.copy(w.Root, dir, kata.Name); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return b, nil
}

func (b *bench) copy(root, dir, name string) error {
	if err := workbook.Copy(dir, root, "katas", "go.mod", "go.sum"); err != nil {
		return err
	}
	w, err := workbook.Open(dir)
	if err != nil {
		return err
	}
	if b.kata, err = w.Find(name); err != nil {
		return err
	}
	b.runner, err = gotest.New(w.Root)
	return err
}

// compare alternates the two sides, after one unmeasured pair, and returns both medians and the median of the pairs' ratios.
func (b *bench) compare(ctx context.Context, pairs int, why bool) (plain, ours time.Duration, ratio float64, err error) {
	var plains, oursAll []time.Duration
	var ratios []float64
	for i := range pairs + 1 {
		sides := []func(context.Context, bool) (time.Duration, error){b.goTest, b.run}
		var took [2]time.Duration
		for n := range sides {
			side := (n + i) % 2
			if took[side], err = sides[side](ctx, why); err != nil {
				return 0, 0, 0, err
			}
		}
		if i > 0 {
			plains, oursAll = append(plains, took[0]), append(oursAll, took[1])
			ratios = append(ratios, took[1].Seconds()/took[0].Seconds())
		}
	}
	slices.Sort(plains)
	slices.Sort(oursAll)
	slices.Sort(ratios)
	return plains[pairs/2], oursAll[pairs/2], ratios[pairs/2], nil
}

// edit saves the reference with one line that no run has seen.
func (b *bench) edit() error {
	b.edits++
	line := fmt.Sprintf("\nvar edit = %d\n", time.Now().UnixNano()+int64(b.edits))
	return os.WriteFile(b.kata.File, append(slices.Clone(b.source), line...), 0o600)
}

func (b *bench) goTest(ctx context.Context, why bool) (time.Duration, error) {
	if err := b.edit(); err != nil {
		return 0, err
	}
	var tests []string
	for _, s := range b.kata.Steps {
		if why || s.Kind == workbook.How {
			tests = append(tests, s.Test)
		}
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^("+strings.Join(tests, "|")+")$", "./katas/"+b.kata.Name)
	cmd.Dir = b.runner.Root
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return time.Since(start), nil
}

func (b *bench) run(ctx context.Context, why bool) (time.Duration, error) {
	if err := b.edit(); err != nil {
		return 0, err
	}
	start := time.Now()
	// What is waited for is the last step's status; go vet comes after it.
	report, err := b.runner.Run(ctx, b.kata, gotest.Subject{}, gotest.Options{NoWhy: !why, NoVet: true}, nil)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if !report.Solved() {
		return 0, fmt.Errorf("the reference of %s does not pass: %+v", b.kata.Name, report)
	}
	return took, nil
}
