package gotest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/workbook"
)

const (
	stackExceeded = "runtime: goroutine stack exceeds"
	interrupted   = "SIGQUIT: quit"
)

// dumpBegins says whether a line begins what Go prints when a process dies.
func dumpBegins(line string) bool {
	for _, start := range []string{"panic: ", "fatal error: ", stackExceeded, interrupted, "unexpected fault address", "SIGABRT: abort"} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

// death says what ended the process that ran a function, and at which of the learner's lines.
func (b *build) death(p *process) (Status, Message) {
	s := p.said
	m := Message{Stack: b.where(s.dump)}
	if len(m.Stack) > 0 {
		m.File, m.Line = m.Stack[0].File, m.Stack[0].Line
	}
	overflowed := len(s.dump) > 0 && strings.HasPrefix(s.dump[0], stackExceeded)
	if p.hung != "" && !overflowed {
		m.Text = p.hung
		m.Stack = m.Stack[:min(1, len(m.Stack))]
		return Timeout, m
	}
	if len(s.dump) == 0 {
		m.Text = p.end.text()
		return Crash, m
	}
	reason := reasonOf(s.dump)
	if name, ok := strings.CutPrefix(reason, "TODO: "); ok {
		return Todo, Message{Text: name + " is not implemented yet", Todo: name}
	}
	switch {
	case overflowed:
		reason = "stack overflow: a function calls itself without end"
	case strings.HasPrefix(reason, "test timed out after"):
		m.Text = "no end: " + strings.SplitN(reason, "\n", 2)[0]
		return Timeout, m
	case strings.Contains(reason, "test executed panic(nil) or runtime.Goexit"):
		reason = "runtime.Goexit ended the step"
	case !strings.HasPrefix(s.dump[0], "fatal error: "):
		reason = "panic: " + reason
	}
	m.Text = b.mapped(reason)
	return Crash, m
}

// reasonOf is the message of the panic or the fatal error, without "panic: " and what the runtime adds.
func reasonOf(dump []string) string {
	var lines []string
	for i, line := range dump {
		if i == 0 {
			line = strings.TrimPrefix(strings.TrimPrefix(line, "panic: "), "fatal error: ")
			line = recovered.ReplaceAllString(line, "")
		} else if line == "" || goroutine.MatchString(line) || strings.HasPrefix(line, "[signal ") || strings.HasPrefix(line, "\tpanic: ") {
			break
		}
		lines = append(lines, line)
	}
	return strings.Join(lines[:min(len(lines), 20)], "\n")
}

var (
	recovered = regexp.MustCompile(` \[recovered(, repanicked)?\]$`)
	goroutine = regexp.MustCompile(`^goroutine \d+ .*\[.*\]:$`)
	frameAt   = regexp.MustCompile(`^\t(.+\.go):(\d+)( \+0x[0-9a-f]+)?`)
)

// where lists the learner's lines, innermost first, of the goroutine that matters: the first that has any, but one
// that runs a test before all others. Without any, the test's own line.
func (b *build) where(dump []string) []Place {
	var best []Place
	bestRank := 0
	for _, block := range goroutines(dump) {
		found, rank := b.frames(block, b.isSubject), 2
		if len(found) == 0 {
			found, rank = b.frames(block, b.isTest), 1
		}
		if slices.ContainsFunc(block, func(l string) bool { return strings.HasPrefix(l, "testing.tRunner(") }) && rank == 2 {
			rank = 3
		}
		// A panic's own goroutine comes first in its dump.
		if len(found) > 0 && (rank > bestRank && (bestRank < 2 || strings.HasPrefix(dump[0], "SIGQUIT"))) {
			best, bestRank = found, rank
		}
	}
	return best
}

// goroutines cuts a dump into the stacks it lists.
func goroutines(dump []string) [][]string {
	var all [][]string
	for _, line := range dump {
		if goroutine.MatchString(line) {
			all = append(all, nil)
		}
		if n := len(all); n > 0 {
			all[n-1] = append(all[n-1], line)
		}
	}
	return all
}

// isSubject says whether a file of the running program is the one under test.
func (b *build) isSubject(file string) bool { return file == b.kata.File || file == b.file }

// isTest says whether a file of the running program is in the kata's folders.
func (b *build) isTest(file string) bool {
	return filepath.Dir(file) == b.kata.Dir
}

// deepest is how many lines of a stack are of use to a reader.
const deepest = 3

// frames lists the innermost lines of a stack that lie in files that count.
func (b *build) frames(stack []string, counts func(file string) bool) []Place {
	var all []Place
	for i, line := range stack {
		at := frameAt.FindStringSubmatch(line)
		if at == nil || i == 0 {
			continue
		}
		file := at[1]
		if inModule, ok := strings.CutPrefix(file, workbook.Module+"/"); ok { // as -trimpath has it
			file = filepath.Join(b.Root, filepath.FromSlash(inModule))
		}
		if !counts(file) {
			continue
		}
		p := Place{File: b.display(file), Func: functionOf(stack[i-1])}
		if p.Line, _ = strconv.Atoi(at[2]); p.Line == 1 && b.isSubject(file) {
			p.Line = b.declared(p.Func)
		}
		if len(all) < deepest && !slices.ContainsFunc(all, func(o Place) bool { return o.File == p.File && o.Line == p.Line }) {
			all = append(all, p)
		}
	}
	return all
}

// declared is the line of a function in the file under test. Of an inlined endless loop Go knows the function alone, and puts it on line 1.
func (b *build) declared(function string) int {
	function = strings.NewReplacer("(", "", ")", "", "*", "").Replace(function)
	declared, _ := contract.Parse(b.file, nil) // it was compiled, so it parses
	for _, d := range declared {
		if d.Name == function {
			return d.Line
		}
	}
	return 1
}

// functionOf is Stats for whyhow/katas/q05-batch-norm.Stats(...), (*Layer).Train for a method. Of a goroutine's beginning, "created by … in
// goroutine 7", it is the function that began it.
func functionOf(call string) string {
	call, _, _ = strings.Cut(call, " in goroutine ")
	call = call[strings.LastIndex(call, "/")+1:]
	if i := strings.LastIndex(call, "("); i > 0 {
		call = call[:i]
	}
	_, name, _ := strings.Cut(call, ".")
	return name
}
