package gotest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"whyhow/katas/kit/check"
	"whyhow/scripts/internal/gotest/channel"
	"whyhow/scripts/internal/workbook"
)

// execute runs the report's steps of one kind and fills in what came of them. If the process dies or hangs, the functions
// that have not started run in a new one, so that every step gets a status.
func (b *build) execute(ctx context.Context, report *Report, kind workbook.Kind) error {
	if kind == workbook.Why && b.options.ArtifactDir != "" {
		if err := os.RemoveAll(filepath.Join(b.options.ArtifactDir, "_artifacts")); err != nil {
			return err
		}
	}
	var functions []string
	for _, s := range report.Steps {
		if s.Kind == kind {
			functions = append(functions, s.Test)
		}
	}
	functions = append(functions, b.companions(functions)...)
	found := map[string]outcome{}
	if b.unstarted != nil {
		for _, name := range functions {
			found[name] = *b.unstarted
		}
		functions = nil
	}
	for len(functions) > 0 && !(b.options.FailFast && report.Broken() != nil) {
		p, err := b.start(ctx, functions, kind)
		if err != nil {
			return err
		}
		if kind != workbook.Hidden {
			report.CPU += p.end.CPU.Seconds()
		}
		var rest []string
		for _, name := range functions {
			if r := p.told.of[name]; r != nil {
				found[name] = b.judge(p, r)
			} else {
				rest = append(rest, name)
			}
		}
		b.judgeExit(found, p)
		if b.options.FailFast && slices.ContainsFunc(slices.Collect(maps.Values(found)), func(o outcome) bool { return o.status.Failed() }) {
			break
		}
		if p.told.done || p.told.broken != "" || len(rest) == len(functions) {
			for _, name := range rest {
				found[name] = b.judgeUnstarted(p, name)
			}
			break
		}
		functions = rest
	}
	for i := range report.Steps {
		if s := &report.Steps[i]; s.Kind == kind {
			report.Figures = append(report.Figures, b.fill(s, found)...)
		}
	}
	return nil
}

// outcome is what came of one function: a test, a fuzz target's seeds, an example.
type outcome struct {
	status    Status
	messages  []Message
	seconds   float64
	artifacts []artifact
	cases     []string
}

// companions returns the fuzz targets and examples of the tests.
func (b *build) companions(tests []string) (names []string) {
	for name, test := range b.companionOf {
		if slices.Contains(tests, test) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fill gives a step what was found of its test and of the test's companions, whose failure outranks the test's pass. It returns the step's figures:
// none if it did not pass, for they show a wrong result, or are half written.
func (b *build) fill(step *Step, found map[string]outcome) (figures []Figure) {
	own := found[step.Test]
	step.Status, step.Messages, step.Seconds, step.Cases = cmp.Or(own.status, Missing), own.messages, own.seconds, own.cases
	for _, name := range b.companions([]string{step.Test}) {
		o := found[name]
		step.Seconds += o.seconds
		if step.Status == Pass && o.status != Pass {
			step.Status = cmp.Or(o.status, Missing)
		}
		for _, m := range o.messages {
			m.Subtest = strings.TrimSuffix(name+" "+m.Subtest, " ")
			step.Messages = append(step.Messages, m)
		}
	}
	if step.Status != Pass {
		return nil
	}
	for _, a := range own.artifacts {
		for _, f := range workbook.Files(a.dir, "*.json") {
			figures = append(figures, Figure{Test: step.Test, Path: f})
		}
	}
	return figures
}

// process is what is known of a process of tests that has ended.
type process struct {
	told *records
	said *stream
	hung string // why the watchdog ended it; "" if it ended by itself
	end  Ending
}

// Ending is how a program ended.
type Ending struct {
	Code   int            // its exit status; -1 if a signal ended it
	Signal syscall.Signal // that signal
	CPU    time.Duration  // what it used
	Reason string         // why a sandbox ended it; "" if none did
}

// Program is a running program of tests.
type Program interface {
	Pid() int
	AskForStacks() error // after which it ends
	Kill()               // with what it has started
	Wait() Ending
}

// start runs the functions in one process and watches it.
func (b *build) start(ctx context.Context, functions []string, kind workbook.Kind) (*process, error) {
	limits := limitsOf(b.options.limit(kind))
	p := &process{told: newRecords(), said: newStream()}
	var pipes [3]struct{ read, write *os.File } // output, nonce, records
	var err error
	for i := range pipes {
		if pipes[i].read, pipes[i].write, err = os.Pipe(); err != nil {
			return nil, err
		}
		defer pipes[i].read.Close()
		defer pipes[i].write.Close()
	}
	output, nonce, records := pipes[0], pipes[1], pipes[2]
	if _, err := fmt.Fprintln(nonce.write, p.told.nonce+"\n"+b.kata.Name); err != nil { // it fits into a pipe that nobody reads
		return nil, err
	}
	nonce.write.Close()
	cmd, err := b.command(functions, kind, limits)
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = output.write, output.write
	run, err := b.run(ctx, cmd, limits.cpu*time.Duration(2*len(functions)+2), nonce.read, records.write)
	if err != nil {
		return nil, workbook.Errorf("set TMPDIR to a folder whose programs may run", "the tests did not start: %w", err)
	}
	output.write.Close()
	nonce.read.Close()
	records.write.Close()

	var readers sync.WaitGroup
	readers.Go(func() { p.said.read(output.read) })
	readers.Go(func() { p.told.listen(records.read) })
	read := make(chan struct{})
	go func() { readers.Wait(); close(read) }()
	exited := make(chan struct{})
	go func() { p.end = run.Wait(); close(exited) }()
	p.hung = watch(ctx, run, limits, p.told.moved, exited)
	run.Kill()
	<-exited
	select {
	case <-read:
	case <-time.After(10 * time.Second): // a process that left the group keeps a pipe open
		_ = output.read.SetReadDeadline(time.Now())
		_ = records.read.SetReadDeadline(time.Now())
		<-read
	}
	if ctx.Err() != nil {
		return nil, cancelled(ctx)
	}
	return p, nil
}

// run starts a program of tests that finds two files besides the usual three.
func (b *build) run(ctx context.Context, cmd *exec.Cmd, cpu time.Duration, nonce, records *os.File) (Program, error) {
	cmd.Env = append(cmd.Env, channel.Variable+"="+inherit(cmd, nonce, records))
	if b.box != nil {
		return b.box.Run(ctx, cmd, cpu, []string{b.binary, b.kata.Dir}, filepath.Join(b.dir, "tmp"))
	}
	ownGroup(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	bound(cmd.Process.Pid, cpu, b.options.Race)
	return plain{cmd}, nil
}

// plain is a program outside of any sandbox.
type plain struct{ *exec.Cmd }

func (p plain) Pid() int            { return p.Process.Pid }
func (p plain) AskForStacks() error { return askForStacks(p.Process.Pid) }
func (p plain) Kill()               { _ = killGroup(p.Process.Pid) } // or it has ended

func (p plain) Wait() Ending {
	_ = p.Cmd.Wait() // how it ended says its state
	state := p.ProcessState
	end := Ending{Code: state.ExitCode(), CPU: state.UserTime() + state.SystemTime()}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		end.Signal = status.Signal()
	}
	return end
}

// command is the program that runs the functions.
func (b *build) command(functions []string, kind workbook.Kind, l limits) (*exec.Cmd, error) {
	patterns := make([]string, len(functions))
	for i, f := range functions {
		patterns[i] = regexp.QuoteMeta(f)
	}
	args := []string{
		"-test.v=test2json", "-test.paniconexit0", "-test.timeout=" + unwatched(l.wall*time.Duration(len(functions)+1)),
		"-test.run=^(" + strings.Join(patterns, "|") + ")$",
	}
	if b.options.FailFast {
		args = append(args, "-test.failfast")
	}
	if dir := b.options.ArtifactDir; dir != "" {
		dir, err := filepath.Abs(dir)
		if err == nil {
			err = os.MkdirAll(dir, 0o777)
		}
		if err != nil {
			return nil, fmt.Errorf("no folder for the figures: %w", err)
		}
		args = append(args, "-test.artifacts", "-test.outputdir="+dir)
	}
	temp := filepath.Join(b.dir, "tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, noSpace(err)
	}
	cmd := exec.Command(b.binary, args...)
	cmd.Dir = b.kata.Dir
	own := []string{"PWD=" + cmd.Dir, "TMPDIR=" + temp, "GOTRACEBACK=crash"}
	if b.box == nil {
		own = append(os.Environ(), own...)
	}
	cmd.Env = append(own, b.env...)
	seed := b.options.Seed
	if kind == workbook.Hidden {
		seed = cmp.Or(b.options.HiddenSeed, seed)
	}
	if seed != "" {
		cmd.Env = append(cmd.Env, check.SeedVariable+"="+seed)
	}
	if b.options.Race && os.Getenv("GORACE") == "" {
		cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=10")
	}
	return cmd, nil
}

// watch waits for the end of a process and returns why it is hung, if it is. One that hangs is asked for the stacks of its goroutines, and
// gets the time to print them.
func watch(ctx context.Context, run Program, l limits, moved, exited <-chan struct{}) (hung string) {
	use := func() (usage, bool) { return usageOf(run.Pid()) }
	hung = watchdog{l, use, moved, exited}.wait(ctx)
	if hung != "" && run.AskForStacks() == nil {
		// The runtime waits up to five seconds for each thread to print its own.
		watchdog{limits{cpu: 5 * time.Second, idle: 30 * time.Second, wall: 5 * time.Minute}, use, nil, exited}.wait(ctx)
	}
	return hung
}

// judge decides what became of a function that started. What its process told decides whether it passed; what was printed only says why not.
func (b *build) judge(p *process, r *result) outcome {
	h := p.said.heard[r.name]
	if h == nil {
		lost := message{node: r.name, lines: []string{"what the step said did not arrive: the code under test has closed standard output, or sent it elsewhere"}}
		h = &heard{name: r.name, messages: []message{lost}}
	}
	o := outcome{seconds: r.seconds, messages: h.all(b), artifacts: h.artifacts, cases: h.cases}
	died := p.told.died(r)
	switch {
	case p.told.broken != "":
		o.status = Crash
		o.messages = append(o.messages, Message{Text: "the results of this run do not count: " + p.told.broken})
		return o
	case !died && r.verdict == channel.Skip:
		o.status = Missing
		return o
	case !died && r.verdict == channel.Pass && h.status(nil) == Pass: // a data race is found when the function has told that it passed
		o.status = Pass
		return o
	case !died:
		switch o.status = h.status(nil); o.status {
		case Todo:
			o.messages = unwritten(o.messages)
		case Pass:
			o.status = Fail
		}
		return o
	}
	status, reason := b.death(p)
	if h.status(p.said.doomed) == Fail {
		status = Fail
	}
	o.status, o.messages = status, append(o.messages, reason)
	if r.verdict == "" {
		o.seconds = time.Since(r.start).Seconds()
	}
	return o
}

// unwritten keeps what is not implemented yet, each once, and leaves out in which subtest that was found.
func unwritten(messages []Message) (all []Message) {
	for _, m := range messages {
		m.Subtest = ""
		if m.Text != "" && !slices.ContainsFunc(all, func(o Message) bool { return o.Text == m.Text }) {
			all = append(all, m)
		}
	}
	return all
}

// judgeExit takes back the pass of the last function, if all passed and the process failed behind it.
func (b *build) judgeExit(found map[string]outcome, p *process) {
	code := p.end.Code
	if !p.told.done || p.told.broken != "" || p.hung != "" || code <= 0 || p.told.last == nil {
		return
	}
	for name := range p.told.of {
		if found[name].status != Pass {
			return
		}
	}
	last := found[p.told.last.name]
	last.status = Crash
	last.messages = append(last.messages, Message{Text: fmt.Sprintf("exit status %d after the last step, though every step passed. "+
		"Something that a step had started, such as a goroutine, failed afterwards. With --race it is a data race.", code)})
	found[p.told.last.name] = last
}

// judgeUnstarted decides what became of a function that did not start, and would not in another process.
func (b *build) judgeUnstarted(p *process, name string) outcome {
	switch {
	case p.told.broken != "":
		return outcome{status: Crash, messages: []Message{{Text: "the results of this run do not count: " + p.told.broken}}}
	case p.told.done:
		return outcome{status: Missing, messages: []Message{{Text: "there is no test " + name}}}
	}
	status, reason := b.death(p)
	reason.Text = "before the first test: " + reason.Text
	b.unstarted = &outcome{status: status, messages: append(p.said.before.all(b), reason)}
	return *b.unstarted
}

// text says how a process ended that printed no reason.
func (e Ending) text() string {
	switch {
	case e.Reason != "":
		return "the process was ended: " + e.Reason
	case e.Signal == syscall.SIGKILL:
		return "the process was killed from outside: perhaps it used up the memory"
	case e.Signal != 0:
		return fmt.Sprintf("the process was ended by a signal: %s", e.Signal)
	}
	return fmt.Sprintf("the process ended here with exit status %d. os.Exit and log.Fatal end the whole test run: return an error or panic instead.", e.Code)
}
