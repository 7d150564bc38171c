// Package proof checks all that a machine can check of a kata: what CONTRIBUTING.md asks of its files, and what its tests
// find in the stub, the reference, every planted mistake and every alternative.
package proof

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// Options narrow a proof. The zero value checks as many katas at a time as there are cores.
type Options struct {
	Jobs int          // katas at a time; 0: as many as there are cores
	CI   bool         // what the machine lacks is then a problem, not skipped
	Done func(Result) // gets each result as soon as it is there, one at a time; may be nil
}

// Result is what was found of one kata.
type Result struct {
	Schema       int      `json:"schema"`
	Kata         string   `json:"kata"`
	Steps        int      `json:"steps"`
	Mistakes     int      `json:"mistakes"`
	Alternatives int      `json:"alternatives"`
	Figures      int      `json:"figures"`
	How          float64  `json:"how_cpu_seconds"`   // CPU time of the reference's how steps
	Whole        float64  `json:"whole_cpu_seconds"` // of all of the reference's steps
	Raced        bool     `json:"raced"`             // the race detector ran on all of the reference's steps
	Race         float64  `json:"race_cpu_seconds"`  // and they took so much CPU time
	Passed       int      `json:"passed"`            // checks
	Problems     []string `json:"problems"`          // each names a file and what to do; one a check that failed
	Skipped      []string `json:"skipped,omitempty"`
	Elapsed      float64  `json:"elapsed_seconds"`
}

// Verify checks the katas and returns their results in the order of the katas. An error means that the tool itself failed, or that ctx was
// cancelled; what is wrong with a kata is in its Result.
func Verify(ctx context.Context, wb *workbook.Workbook, r *gotest.Runner, katas []*workbook.Kata, o Options) ([]Result, error) {
	if o.Jobs < 1 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	imports, err := exports(ctx, r, katas)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(katas))
	var next, report sync.Mutex
	var quiet sync.RWMutex
	var workers sync.WaitGroup
	i := 0
	for range min(o.Jobs, len(katas)) {
		workers.Go(func() {
			for {
				next.Lock()
				mine := i
				i++
				next.Unlock()
				if mine >= len(katas) || ctx.Err() != nil {
					return
				}
				p := &proof{kata: katas[mine], root: wb.Root, runner: r, options: o, imports: imports, quiet: &quiet, most: cost{howLimit, wholeLimit}}
				if err := p.prove(ctx); err != nil {
					cancel(fmt.Errorf("%s: %w", katas[mine].Name, err))
					return
				}
				results[mine] = p.Result
				if o.Done != nil {
					report.Lock()
					o.Done(p.Result)
					report.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return results, context.Cause(ctx)
}

// proof is the work on one kata.
type proof struct {
	Result
	kata    *workbook.Kata
	root    string
	runner  *gotest.Runner
	options Options
	imports map[string]string
	most    cost          // what the reference's tests may take
	hiding  []hiding      // the hidden tests, without those that the reference does not pass
	wrong   bool          // the reference does not pass the how steps, which every planted mistake runs
	quiet   *sync.RWMutex // held for reading by every run, for writing by one that measures time alone
}

// check counts a check. If it failed, the message becomes a problem of the file.
func (p *proof) check(ok bool, file, format string, args ...any) bool {
	if ok {
		p.Passed++
		return true
	}
	problem := fmt.Sprintf(format, args...)
	if shown := p.display(file); !strings.HasPrefix(problem, shown+":") {
		problem = shown + ": " + problem
	}
	p.Problems = append(p.Problems, problem)
	return false
}

// display is how a person in the checkout would name the file.
func (p *proof) display(file string) string {
	if rel, err := filepath.Rel(p.root, file); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return file
}

func (p *proof) prove(ctx context.Context) error {
	start := time.Now()
	p.Schema, p.Kata, p.Steps, p.Problems = gotest.Schema, p.kata.Name, len(p.kata.Steps), []string{}
	defer func() { p.Elapsed = time.Since(start).Seconds() }()
	if !p.check(p.kata.Err == nil, filepath.Join(p.kata.Dir, "README.md"), "%v", p.kata.Err) {
		return nil
	}
	p.files()
	for _, run := range []func(context.Context) error{p.stub, p.reference, p.race, p.alternatives, p.mistakes} {
		if err := run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// files checks what can be checked without running anything.
func (p *proof) files() {
	p.frontMatter()
	p.readme()
	p.hints()
	p.answer()
	p.tests()
	p.contract()
	p.gate()
}
