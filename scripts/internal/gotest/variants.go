package gotest

import (
	"context"
	"time"

	"whyhow/scripts/internal/workbook"
)

// Variant is one run of a program that acts by its environment.
type Variant struct {
	Name string   // goes into the Report as its subject
	Env  []string // "NAME=value": what the tests find in their environment besides
	Only []string // the steps to run; nil: all
}

// Variants builds the kata once with the subject's code and runs it once for each variant, in their order; done gets
// each Report. It is what Run does, without the vetting, for the price of one build. If that build fails, there are
// no Reports but a BuildError.
func (r *Runner) Variants(ctx context.Context, k *workbook.Kata, s Subject, o Options, variants []Variant, done func(Variant, *Report)) (*BuildError, error) {
	b, err := r.newBuild(target{kata: k, dir: k.Dir}, s, o)
	if err != nil {
		return nil, err
	}
	defer b.remove()
	if failed, err := b.link(ctx); failed != nil || err != nil {
		return failed, err
	}
	for _, v := range variants {
		o.Only = v.Only
		t, err := stepsOf(k, o)
		if err != nil {
			return nil, err
		}
		b.env = v.Env
		report := &Report{Schema: Schema, Kata: k.Name, Subject: v.Name, Start: time.Now(), Steps: t.steps}
		for _, kind := range workbook.Kinds {
			if err := b.execute(ctx, report, kind); err != nil {
				return nil, err
			}
		}
		report.stamp()
		done(v, report)
	}
	return nil, nil
}
