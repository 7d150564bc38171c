package gotest

import (
	"bufio"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"whyhow/scripts/internal/gotest/channel"
)

// harness is the source of package channel, which is compiled into a kata's tests.
//
//go:embed channel/channel.go channel/private_unix.go channel/private_other.go channel/unreadable_linux.go channel/unreadable_other.go
var harness embed.FS

// testMain is the tests' own main, in the package that %s names.
const testMain = `package %s_test

import (
	"testing"

	"whyhow/katas/kit/channel"
)

func TestMain(m *testing.M) { channel.Main(m) }
`

// placeHarness writes into dir what tells the results of a package of tests, and adds to replace where it is compiled.
func placeHarness(dir, root, tests, pkg string, replace map[string]string) error {
	files, err := fs.Glob(harness, "channel/*.go")
	if err != nil {
		return err
	}
	place := func(target, name string, text []byte) error {
		replace[target] = filepath.Join(dir, name)
		return os.WriteFile(replace[target], text, 0o600)
	}
	for _, f := range files {
		text, err := harness.ReadFile(f)
		if err == nil {
			err = place(filepath.Join(root, "katas", "kit", "channel", path.Base(f)), "channel_"+path.Base(f), text)
		}
		if err != nil {
			return err
		}
	}
	return place(filepath.Join(tests, mainFile), mainFile, fmt.Appendf(nil, testMain, pkg))
}

// mainFile is where the tests' main is compiled: no kata and no learner has a file of that name.
const mainFile = "kata_channel_test.go"

// result is what the tests' process told of one function.
type result struct {
	name    string
	start   time.Time
	verdict string // one of channel's, "" if the function did not end
	seconds float64
}

// records are what the tests' process told. One goroutine listens; what it found may be looked at when it has listened to the end.
type records struct {
	nonce  string
	moved  chan struct{} // a function has started or ended since this was last received
	of     map[string]*result
	last   *result // the last that started
	n      int
	done   bool
	broken string // why nothing that was told counts, "" if all does
}

func newRecords() *records {
	return &records{nonce: secret(), moved: make(chan struct{}, 1), of: map[string]*result{}}
}

func secret() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// longestRecord is more than any record has, in bytes.
const longestRecord = 4096

// listen reads records to the end of r.
func (c *records) listen(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestRecord)
	for lines.Scan() {
		if c.broken != "" {
			continue
		}
		if problem := c.record(lines.Text()); problem != "" {
			c.broken = problem
		}
		select { // two moves may be told as one
		case c.moved <- struct{}{}:
		default:
		}
	}
	if lines.Err() != nil && c.broken == "" {
		c.broken = "a record has no end"
	}
	_, _ = io.Copy(io.Discard, r) // who writes must not wait
}

// record takes a record and says what is wrong with it, "" if it is right: each comes once, in order, and knows the nonce.
func (c *records) record(line string) (problem string) {
	nonce, line, _ := strings.Cut(line, " ")
	number, line, _ := strings.Cut(line, " ")
	what, line, _ := strings.Cut(line, " ")
	c.n++
	switch {
	case nonce != c.nonce:
		return "a record was not written by the tests"
	case number != strconv.Itoa(c.n):
		return fmt.Sprintf("record %s came where record %d was due", number, c.n)
	case c.done:
		return "a record came after the last"
	}
	name, line, _ := strings.Cut(line, " ")
	running := c.last != nil && c.last.verdict == ""
	switch what {
	case channel.Start:
		if c.of[name] != nil || running {
			return name + " started twice, or inside another"
		}
		c.last = &result{name: name, start: time.Now()}
		c.of[name] = c.last
	case channel.End:
		verdict, seconds, _ := strings.Cut(line, " ")
		if !running || c.last.name != name {
			return name + " ended without a start"
		}
		c.last.verdict = verdict
		c.last.seconds, _ = strconv.ParseFloat(seconds, 64)
	case channel.Done:
		c.done = true
	default:
		return "a record says nothing that is known"
	}
	return ""
}

// died says whether the function had started and has no result, or was the last of a process that went on to die of what it left behind.
func (c *records) died(r *result) bool { return r == c.last && !c.done }
