package proof

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/figures"
	"whyhow/scripts/internal/gotest"
)

// What a kata's tests may take, in seconds of CPU time. CONTRIBUTING.md asks for 0.2, 2 and 15 s on a machine that does nothing else; on a busy one, which
// shares caches and cores, the same work costs up to half as much again. A run above its limit is repeated without another kata beside it, up to three in all: the
// best counts.
const (
	busy       = 1.5
	howLimit   = 0.2 * busy
	wholeLimit = 2.0 * busy
	raceLimit  = 15.0 * busy
	attempts   = 3
)

// run runs the kata's steps on a subject, beside other katas.
func (p *proof) run(ctx context.Context, s gotest.Subject, o gotest.Options) (*gotest.Report, error) {
	p.quiet.RLock()
	defer p.quiet.RUnlock()
	o.NoVet = true
	return p.runner.Run(ctx, p.kata, s, o, nil)
}

// hidden runs the hidden test on a subject. It is nil if there is none, which is a problem of its own.
func (p *proof) hidden(ctx context.Context, s gotest.Subject) (*gotest.Report, error) {
	if _, err := os.Stat(filepath.Join(p.kata.SolutionDir(), "hidden_test.go")); err != nil {
		return nil, nil
	}
	p.quiet.RLock()
	defer p.quiet.RUnlock()
	return p.runner.Hidden(ctx, p.kata, s, gotest.Options{})
}

// built says whether the report's code compiled.
func (p *proof) built(r *gotest.Report, file string) bool {
	return r.Build == nil || p.check(false, file, "the %s does not compile: %v", r.Subject, r.Build.First())
}

// stub checks that the untouched stub reaches a TODO in every step, and does not pass the hidden test.
func (p *proof) stub(ctx context.Context) error {
	report, err := p.run(ctx, gotest.Subject{Name: "stub"}, gotest.Options{})
	if err != nil {
		return err
	}
	if !p.built(report, p.kata.File) {
		return nil
	}
	for _, s := range report.Steps {
		p.check(s.Status == gotest.Todo, p.testFile(s), "%s is %s on the untouched stub, not todo: let it call what the learner writes first%s", s.Test, s.Status, indent(s.Text()))
	}
	report, err = p.hidden(ctx, gotest.Subject{Name: "stub"})
	if err != nil || report == nil {
		return err
	}
	if p.built(report, p.kata.File) {
		for _, s := range report.Steps {
			p.check(s.Status != gotest.Pass, filepath.Join(p.kata.SolutionDir(), "hidden_test.go"), "%s passes on the untouched stub: let it call every function", s.Test)
		}
	}
	return nil
}

// reference checks that the reference passes every step in time, that a figure was recorded, and that it passes the hidden test.
func (p *proof) reference(ctx context.Context) error {
	subject := gotest.Subject{Name: "reference", File: p.kata.Reference()}
	artifacts, err := os.MkdirTemp("", "kata-figures-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(artifacts)
	p.quiet.RLock()
	report, first, err := p.costing(ctx, subject, gotest.Options{ArtifactDir: artifacts})
	p.quiet.RUnlock()
	if err != nil || !p.built(report, subject.File) {
		return err
	}
	p.passes(report, subject.File)
	p.figures(report, artifacts)
	if stub, ok := p.parse(p.kata.File); ok && report.Solved() {
		p.kept(stub, report)
	}
	if report.Solved() {
		if err := p.time(ctx, subject, first); err != nil {
			return err
		}
	}
	return p.passesHidden(ctx, subject)
}

func (p *proof) passes(r *gotest.Report, file string) {
	for _, s := range r.Steps {
		p.check(s.Status == gotest.Pass, file, "the %s does not pass %s (%s)%s", r.Subject, s.Test, s.Status, indent(s.Text()))
	}
}

func (p *proof) passesHidden(ctx context.Context, s gotest.Subject) error {
	report, err := p.hidden(ctx, s)
	if err != nil || report == nil {
		return err
	}
	if p.built(report, s.File) {
		p.passes(report, s.File)
	}
	return nil
}

// figures checks that the run recorded at least one figure, that each can be drawn and has a name of its own.
func (p *proof) figures(r *gotest.Report, dir string) {
	why := filepath.Join(p.kata.Dir, "why_test.go")
	p.Figures = len(r.Figures)
	p.check(len(r.Figures) > 0, why, "no why step recorded a figure: save one with figure.Save")
	for _, s := range r.Steps {
		for _, m := range s.Messages {
			p.check(!strings.HasPrefix(m.Text, figure.Log), why, "%s: %s", s.Test, m.Text)
		}
	}
	names := map[string]bool{}
	for i, f := range r.Figures {
		name := filepath.Base(f.Path)
		p.check(!names[name], why, "%s: another step saves a figure %s too: give it a name of its own", f.Test, name)
		names[name] = true
		loaded, err := figures.Load(f.Path)
		if err == nil {
			_, err = figures.Draw(loaded, filepath.Join(dir, "drawn", fmt.Sprint(i)))
		}
		p.check(err == nil, why, "%s: figure %s cannot be drawn: %v", f.Test, name, err)
	}
}

// time checks that the reference's tests take no longer than they may, given what a first run took.
func (p *proof) time(ctx context.Context, s gotest.Subject, first cost) error {
	best, err := p.best(ctx, s, gotest.Options{}, first, p.most)
	if err != nil {
		return err
	}
	p.How, p.Whole = best.how, best.whole
	p.check(p.How <= p.most.how, filepath.Join(p.kata.Dir, "how_test.go"), "the how steps take %.2f s of CPU time, the best of %d runs: make it at most %.1f s", p.How, attempts, p.most.how)
	p.check(p.Whole <= p.most.whole, filepath.Join(p.kata.Dir, "why_test.go"), "the steps take %.2f s of CPU time, the best of %d runs: make it at most %.0f s", p.Whole, attempts, p.most.whole)
	return nil
}

// cost is the CPU time of a kata's tests, in seconds.
type cost struct{ how, whole float64 }

// costing runs the kata's steps on a subject and says what that cost.
func (p *proof) costing(ctx context.Context, s gotest.Subject, o gotest.Options) (r *gotest.Report, c cost, err error) {
	o.NoVet = true
	r, err = p.runner.Run(ctx, p.kata, s, o, func(soFar *gotest.Report) { c.how = soFar.CPU })
	if err == nil {
		c.whole = r.CPU
	}
	return r, c, err
}

// best is the first cost or, while that is above the limit, the least of further runs with no other kata beside them.
func (p *proof) best(ctx context.Context, s gotest.Subject, o gotest.Options, first, limit cost) (cost, error) {
	best := first
	for range attempts - 1 {
		if best.how <= limit.how && best.whole <= limit.whole {
			break
		}
		p.quiet.Lock()
		_, again, err := p.costing(ctx, s, o)
		p.quiet.Unlock()
		if err != nil {
			return cost{}, err
		}
		best = cost{min(best.how, again.how), min(best.whole, again.whole)}
	}
	return best, nil
}

// race checks that the reference passes every step under the race detector too, in time.
func (p *proof) race(ctx context.Context) error {
	if compiler, ok := p.cCompiler(ctx); !ok {
		reason := "the race detector: this machine has no C compiler (" + compiler + ")"
		if p.options.CI {
			p.check(false, p.kata.Dir, "%s, and CI skips nothing: install it", reason)
		} else {
			p.Skipped = append(p.Skipped, reason)
		}
		return nil
	}
	subject := gotest.Subject{Name: "reference with -race", File: p.kata.Reference()}
	p.quiet.RLock()
	report, first, err := p.costing(ctx, subject, gotest.Options{Race: true})
	p.quiet.RUnlock()
	if err != nil || !p.built(report, subject.File) {
		return err
	}
	p.passes(report, subject.File)
	if !report.Solved() {
		return nil
	}
	best, err := p.best(ctx, subject, gotest.Options{Race: true}, first, cost{math.Inf(1), raceLimit})
	if err != nil {
		return err
	}
	p.Raced, p.Race = true, best.whole
	p.check(p.Race <= raceLimit, filepath.Join(p.kata.Dir, "why_test.go"), "with -race the steps take %.1f s of CPU time, the best of %d runs: make it at most %.0f s", p.Race, attempts, raceLimit)
	return nil
}

// cCompiler says whether the C compiler that cgo would call is there.
func (p *proof) cCompiler(ctx context.Context) (string, bool) {
	out, err := p.runner.Go(ctx, "env", "CC").Output()
	words := strings.Fields(string(out))
	if err != nil || len(words) == 0 {
		return "CC", false
	}
	_, err = exec.LookPath(words[0])
	return words[0], err == nil
}

// alternatives checks that other right answers pass every step and the hidden test.
func (p *proof) alternatives(ctx context.Context) error {
	all, err := p.kata.Alternatives()
	dir := filepath.Join(p.kata.SolutionDir(), "alternatives")
	if !p.check(err == nil, dir, "%v", err) {
		return nil
	}
	p.Alternatives = len(all)
	p.check(len(all) > 0, dir, "there is no alternative: write another right answer")
	for _, a := range all {
		subject := gotest.Subject{Name: "alternative: " + a.Name, File: a.File}
		report, err := p.run(ctx, subject, gotest.Options{})
		if err != nil {
			return err
		}
		if p.built(report, a.File) {
			p.passes(report, a.File)
			if err := p.passesHidden(ctx, subject); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *proof) testFile(s gotest.Step) string {
	return filepath.Join(p.kata.Dir, string(s.Kind)+"_test.go")
}

// indent puts what a step printed below its problem, its beginning only.
func indent(output string) string {
	const most = 12
	lines := strings.Split(strings.TrimSpace(output), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return ""
	}
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	return "\n    " + strings.Join(lines, "\n    ")
}
