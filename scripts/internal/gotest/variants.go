package gotest

import (
	"context"
	"slices"
	"sync"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Variant is one run of a program that acts by its environment.
type Variant struct {
	Name string   // goes into the Report as its subject
	Env  []string // "NAME=value": what the tests find in their environment besides
	Only []string // the steps to run, as in Options; nil: all
}

// Variants builds the kata once with the subject's code and runs it once for each variant, o.Jobs at a time. It calls done with
// the variant's index and Report, one call after the other. If the build fails, there are no Reports but a BuildError.
func (r *Runner) Variants(ctx context.Context, k *workbook.Kata, s Subject, o Options, variants []Variant, done func(int, *Report)) (*BuildError, error) {
	for _, v := range variants {
		o.Only = v.Only
		if _, err := stepsOf(k, o); err != nil {
			return nil, err
		}
	}
	o.Only = nil
	steps, err := stepsOf(k, o)
	if err != nil {
		return nil, err
	}
	b, err := r.newBuild(k, steps, s, o)
	if err != nil {
		return nil, err
	}
	defer b.remove()
	if failed, err := b.link(ctx); failed != nil || err != nil {
		return failed, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan int)
	var workers sync.WaitGroup
	var reporting sync.Mutex
	for range max(o.Jobs, 1) {
		workers.Go(func() {
			for i := range work {
				report, err := b.variant(ctx, variants[i])
				if err != nil {
					cancel(err)
					continue
				}
				reporting.Lock()
				done(i, report)
				reporting.Unlock()
			}
		})
	}
	for i := range variants {
		work <- i
	}
	close(work)
	workers.Wait()
	return nil, context.Cause(ctx)
}

// variant runs one variant of a linked build.
func (b *build) variant(ctx context.Context, v Variant) (*Report, error) {
	own := *b
	own.env, own.subject.Name = v.Env, v.Name
	return own.report(ctx, slices.DeleteFunc(slices.Clone(b.steps), func(s Step) bool { return v.Only != nil && !slices.Contains(v.Only, s.Test) }))
}

// report runs steps of a linked build, of every kind.
func (b *build) report(ctx context.Context, steps []Step) (*Report, error) {
	report := &Report{Schema: Schema, Kata: b.kata.Name, Subject: b.subject.Name, Start: time.Now(), Steps: slices.Clone(steps)}
	err := b.describe(report)
	if err != nil {
		return nil, err
	}
	if report.Go, err = b.goVersion(); err != nil {
		return nil, err
	}
	for _, kind := range workbook.Kinds {
		if err := b.execute(ctx, report, kind); err != nil {
			return nil, err
		}
	}
	report.stamp()
	return report, nil
}
