package gotest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"whyhow/katas/kit/check"
)

// marker begins each line that package testing itself writes under -test.v=test2json.
const marker = 0x16

// What is kept of one function's output. Printed output has its own limit, so that it never crowds out the tests' messages: of it
// the last is kept, at most twice keepPrinted.
const (
	keepMessages = 256 << 10
	keepPrinted  = 8 << 10
	keepDump     = 1 << 20
	longestLine  = 64 << 10
)

// node is a test or a subtest.
type node struct {
	result   string         // "PASS", "FAIL", "SKIP", or "" while it runs
	mark     string         // what check.Rescue said of it: "todo", "crash" or ""
	messages int            // its own with a position, from t.Errorf and t.Logf
	panicked bool           // check.Rescue said so; it does not mark a test of which a subtest had failed before
	failure  *check.Failure // the parts of the message that comes next
}

type message struct {
	node    string
	lines   []string
	dropped int            // lines printed before these that were not kept
	failure *check.Failure // the same in parts, if check wrote it
	printed bool           // by the code under test, past package testing
}

type artifact struct{ test, dir string }

// heard is what was heard of one function.
type heard struct {
	name      string
	nodes     map[string]*node
	messages  []message
	said      int // bytes of messages that were kept
	printed   int // bytes of printed output that are kept
	artifacts []artifact
	cases     []string // what check.Panics and check.Fails held the code to
}

// stream understands what a test binary writes, while it is written: the messages. What came of a function it does not decide, for the code under test
// writes here too. One goroutine reads; what it found may be looked at when it has read to the end.
type stream struct {
	heard    map[string]*heard
	current  string // the test whose output comes now
	before   heard  // what was printed before the first test
	dump     []string
	dumped   int
	doomed   []string // the tests that were reported as failed right before the dump
	reported []string
	finished bool // package testing has said its last word
}

func newStream() *stream {
	s := &stream{heard: map[string]*heard{}}
	s.before.nodes = map[string]*node{}
	return s
}

// read reads to the end of r. A line longer than longestLine comes in pieces.
func (s *stream) read(r io.Reader) {
	in := bufio.NewReaderSize(r, longestLine)
	var carry []byte // the beginning of a line that the last piece cut
	for {
		piece, err := in.ReadSlice('\n')
		line := append(carry, piece...)
		carry = nil
		if err == bufio.ErrBufferFull {
			if i := bytes.LastIndexByte(line, marker); i >= 0 && len(line)-i < longestLine {
				line, carry = line[:i], slices.Clone(line[i:])
			}
		}
		if len(line) > 0 {
			s.line(string(bytes.TrimRight(line, "\r\n")))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// line takes one line. The code under test may have printed the beginning of it, without ending its own line.
func (s *stream) line(line string) {
	for i := 0; i < len(line); i++ {
		if line[i] == marker && s.frame(line[i+1:], line[:i]) {
			return
		}
	}
	s.text(line)
}

var verbs = []string{
	"=== RUN", "=== NAME", "=== CONT", "=== PAUSE", "=== ATTR", "=== ARTIFACTS", "--- PASS", "--- FAIL", "--- SKIP",
}

// frame takes a line of package testing's own, and before it what was printed on the same line. It is false if the
// line is none.
func (s *stream) frame(line, printed string) bool {
	line = strings.TrimLeft(line, " ")
	if line == "PASS" || line == "FAIL" {
		s.printed(printed)
		s.finished = true
		return true
	}
	verb, rest, ok := strings.Cut(line, ": ")
	if !ok || !strings.HasPrefix(verb, "--- ") {
		if !strings.HasPrefix(line, "=== ") || len(line) < len("=== NAME  ") {
			return false
		}
		verb, rest = strings.TrimSpace(line[:len("=== NAME  ")]), strings.TrimSpace(line[len("=== NAME  "):])
		if strings.HasPrefix(line, "=== ARTIFACTS ") {
			verb, rest = "=== ARTIFACTS", strings.TrimPrefix(line, "=== ARTIFACTS ")
		}
	}
	if !slices.Contains(verbs, verb) {
		return false
	}
	s.forgetDump()
	s.printed(printed)
	test, value, _ := strings.Cut(rest, " ")
	switch verb {
	case "=== RUN":
		if !strings.Contains(test, "/") && s.heard[test] == nil {
			s.heard[test] = &heard{name: test, nodes: map[string]*node{}}
		}
	case "=== ATTR":
		switch key, value, _ := strings.Cut(value, " "); key {
		case check.Attr:
			s.node(test).mark = value
		case check.FailureAttr:
			f := new(check.Failure)
			if json.Unmarshal([]byte(value), f) == nil {
				s.node(test).failure = f
			}
		case check.CaseAttr:
			if h := s.function(test); h != nil {
				h.cases = append(h.cases, value)
			}
		}
	case "=== ARTIFACTS":
		if h := s.function(test); h != nil {
			h.artifacts = append(h.artifacts, artifact{test: test, dir: value})
		}
	case "--- PASS", "--- FAIL", "--- SKIP":
		s.node(test).result = verb[len("--- "):]
		s.reported = append(s.reported, test)
		s.current = test
		return true
	}
	s.reported = nil
	s.current = test
	return true
}

func (s *stream) printed(text string) {
	if text != "" {
		s.text(text)
	}
}

// function returns the function that the test is or belongs to; nil if it has not started.
func (s *stream) function(test string) *heard {
	name, _, _ := strings.Cut(test, "/")
	return s.heard[name]
}

func (s *stream) node(test string) *node {
	h := s.function(test)
	if h == nil {
		h = &s.before
	}
	n := h.nodes[test]
	if n == nil {
		n = &node{}
		h.nodes[test] = n
	}
	return n
}

// text takes a line of output of the current test.
func (s *stream) text(line string) {
	if s.finished {
		return
	}
	if s.dump != nil || dumpBegins(line) {
		if s.dump == nil {
			s.doomed, s.reported = s.reported, nil
		}
		if s.dumped += len(line); s.dumped <= keepDump {
			s.dump = append(s.dump, line)
		}
		return
	}
	// Code that prints without end is interrupted in the middle of a line.
	if i := strings.Index(line, interrupted); i > 0 && strings.HasSuffix(line, interrupted) {
		s.keep(line[:i])
		s.text(line[i:])
		return
	}
	s.reported = nil
	// A message of package testing follows what was printed without an end of line.
	if i := strings.Index(line, "_test.go:"); i > 0 {
		if m := midLine.FindStringSubmatchIndex(line); m != nil {
			s.keep(line[:m[2]])
			line = line[m[2]:]
		}
	}
	s.keep(line)
}

var (
	midLine   = regexp.MustCompile(`\S(    \w+_test\.go:\d+: )`)
	messageAt = regexp.MustCompile(`^(\w+\.go):(\d+): `)
)

// forgetDump is called when the process goes on: what looked like the runtime's dump was printed by the code under test.
func (s *stream) forgetDump() {
	for _, line := range s.dump {
		s.keep(line)
	}
	s.dump, s.dumped, s.doomed = nil, 0, nil
}

func (s *stream) keep(line string) {
	h := s.function(s.current)
	if h == nil {
		h = &s.before
	}
	body, ofTesting := strings.CutPrefix(line, "    ")
	if !ofTesting {
		h.print(s.current, line)
		return
	}
	if h.said > keepMessages {
		return
	}
	if h.said += len(body) + 1; h.said > keepMessages {
		body = body[:max(0, len(body)-(h.said-keepMessages))] + " … (the rest was cut)"
	}
	// A message of t.Errorf begins with its position, and all of its other lines are indented; lines of t.Output that
	// follow one another are one message.
	positioned := messageAt.MatchString(body)
	n := s.node(s.current)
	if last := len(h.messages) - 1; last >= 0 && !positioned && n.failure == nil {
		m := &h.messages[last]
		if m.node == s.current && !m.printed && (strings.HasPrefix(body, " ") || !messageAt.MatchString(m.lines[0])) {
			m.lines = append(m.lines, body)
			return
		}
	}
	m := message{node: s.current, lines: []string{body}, failure: n.failure}
	n.failure = nil
	switch {
	case positioned:
		n.messages++
	case strings.HasPrefix(body, "panic: "):
		n.panicked = true
	}
	h.messages = append(h.messages, m)
}

// print keeps a line that the code under test printed, and of all its lines the last: what comes before the end is of use.
func (h *heard) print(node, line string) {
	if more := len(line) - keepPrinted/2; more > 0 {
		line = "… " + strings.ToValidUTF8(line[more:], "")
	}
	last := len(h.messages) - 1
	if last < 0 || !h.messages[last].printed || h.messages[last].node != node {
		h.messages = append(h.messages, message{node: node, printed: true})
		last++
	}
	h.messages[last].lines = append(h.messages[last].lines, line)
	if h.printed += len(line) + 1; h.printed <= 2*keepPrinted {
		return
	}
	for i := range h.messages {
		m := &h.messages[i]
		for m.printed && len(m.lines) > 0 && h.printed > keepPrinted {
			h.printed -= len(m.lines[0]) + 1
			m.lines = m.lines[1:]
			m.dropped++
		}
	}
}

// status is what was printed of a function: any failure outranks a crash, which outranks todo.
func (h *heard) status(doomed []string) Status {
	found := Pass
	for test, n := range h.nodes {
		if n.result != "FAIL" || slices.Contains(doomed, test) {
			continue
		}
		switch {
		case n.mark == "todo":
			if found == Pass {
				found = Todo
			}
		case n.mark == "crash":
			found = Crash
		case n.messages > 0 || !h.childFailed(test):
			return Fail
		case n.panicked:
			found = Crash
		}
	}
	return found
}

func (h *heard) childFailed(test string) bool {
	for name, n := range h.nodes {
		if n.result == "FAIL" && strings.HasPrefix(name, test+"/") {
			return true
		}
	}
	return false
}

// all is what was said, what the code printed last.
func (h *heard) all(b *build) []Message {
	var said, printed []Message
	dropped := 0
	for _, m := range h.messages {
		if m.printed {
			dropped += m.dropped
			if text := strings.TrimRight(strings.Join(m.lines, "\n"), "\n "); text != "" {
				printed = append(printed, Message{Subtest: subtest(m.node), Text: b.mapped(text), Printed: true, Dropped: dropped})
				dropped = 0
			}
		} else if m := b.message(m); m.Text != "" {
			said = append(said, m)
		}
	}
	return append(said, printed...)
}

// subtest is the name of a subtest in words; package testing writes underscores for blanks.
func subtest(node string) string {
	_, name, _ := strings.Cut(node, "/")
	return strings.ReplaceAll(name, "_", " ")
}

// message reads what package testing printed: where it was reported, and what was said.
func (b *build) message(m message) Message {
	text := inOneVoice(strings.TrimRight(strings.Join(m.lines, "\n"), "\n "))
	out := Message{Subtest: subtest(m.node)}
	if at := messageAt.FindStringSubmatch(text); at != nil {
		out.File = b.inKata(at[1])
		out.Line, _ = strconv.Atoi(at[2])
		text = text[len(at[0]):]
	}
	out.Text = b.mapped(dedent(text))
	if f := m.failure; f != nil {
		out.Text, out.Diagnosis, out.Why, out.With = b.mapped(f.Text), b.mapped(f.Diagnosis), b.mapped(f.Why), f.With
		out.Todo = f.Todo
		if f.At != nil {
			out.Stack = []Place{{b.inKata(f.At.File), f.At.Line, f.At.Func}}
			out.File, out.Line = out.Stack[0].File, out.Stack[0].Line
		}
	}
	return out
}

// dedent takes away the four columns that package testing puts before all lines of a message but the first.
func dedent(text string) string { return strings.ReplaceAll(text, "\n    ", "\n") }
