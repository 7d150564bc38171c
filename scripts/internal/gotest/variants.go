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
	report, err := own.report(slices.DeleteFunc(slices.Clone(b.steps), func(s Step) bool { return v.Only != nil && !slices.Contains(v.Only, s.Test) }))
	if err != nil {
		return nil, err
	}
	return report, own.executeAll(ctx, report, func(*Report) {})
}

// report is the Report of a build of which nothing has run yet.
func (b *build) report(steps []Step) (*Report, error) {
	report := &Report{Schema: Schema, Kata: b.kata.Name, Subject: b.subject.Name, Start: time.Now(), Steps: slices.Clone(steps)}
	return report, b.describe(report)
}

// executeAll runs the report's steps of every kind. verdict gets the Report when the how steps have run.
func (b *build) executeAll(ctx context.Context, report *Report, verdict func(*Report)) error {
	report.Go = b.goVersion
	for _, kind := range workbook.Kinds {
		if err := b.execute(ctx, report, kind); err != nil {
			return err
		}
		report.stamp()
		if kind == workbook.How {
			soFar := *report
			soFar.Steps = slices.Clone(report.Steps)
			verdict(&soFar)
		}
	}
	return nil
}
