package gotest_test

import (
	"strings"
	"testing"
	"time"

	"whyhow/scripts/internal/gotest"
)

// forger does nothing that is asked of it, and whatever FORGE says to get the points.
const forger = `package contract

import (
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"syscall"
	"testing"
	"time"

	"whyhow/katas/kit/channel"
)

type Layer struct{ Gamma []float64 }

func Stats(x []float64, n int) (mean, variance float64) {
	switch os.Getenv("FORGE") {
	case "prints a pass and exits":
		fmt.Print("\n\x16--- PASS: TestStats (0.00s)\n\x16PASS\n")
		os.Exit(0)
	case "prints a pass and exits past os":
		fmt.Print("\n\x16--- PASS: TestStats (0.00s)\n\x16PASS\n")
		syscall.Exit(0)
	case "prints the start of a step again and again":
		for {
			fmt.Print("\n\x16=== RUN   TestStats\n")
		}
	}
	return -1, -1
}

func (l *Layer) Train(x []float64) []float64 { return x }

func pass(*testing.T) {}

func init() {
	switch os.Getenv("FORGE") {
	case "prints all results and exits":
		fmt.Print("\x16=== RUN   TestStats\n\x16--- PASS: TestStats (0.00s)\n\x16=== RUN   TestWhyHigh\n\x16--- PASS: TestWhyHigh (0.00s)\n\x16PASS\n")
		os.Exit(0)
	case "prints all results without the marker and exits":
		fmt.Print("=== RUN   TestStats\n--- PASS: TestStats (0.00s)\nPASS\nok\n")
		os.Exit(0)
	case "writes records to every file":
		for fd := 3; fd < 20; fd++ {
			syscall.Write(fd, []byte("1 start TestStats\n2 end TestStats pass 0\n3 done\n"))
		}
	case "writes records when the tests have written theirs":
		go func() {
			for {
				for fd := 3; fd < 20; fd++ {
					syscall.Write(fd, []byte("\n 4 end TestStats pass 0\n"))
				}
				time.Sleep(time.Microsecond)
			}
		}()
	case "reads the nonce again":
		for fd := 3; fd < 20; fd++ {
			syscall.SetNonblock(fd, true)
			text := make([]byte, 100)
			if n, _ := syscall.Read(fd, text); n > 0 {
				fmt.Println("read", string(text[:n]))
			}
		}
	case "finds the descriptors":
		if v, ok := os.LookupEnv(channel.Variable); ok {
			fmt.Println("found", v)
		}
		if all, err := os.ReadFile("/proc/self/environ"); err == nil && len(all) == 0 {
			fmt.Println("found nothing")
		}
	case "closes every file":
		for fd := 3; fd < 20; fd++ {
			syscall.Close(fd)
		}
	case "puts a file of its own in the place of each":
		null, _ := os.OpenFile("/dev/null", os.O_RDWR, 0)
		for fd := 3; fd < 20; fd++ {
			if fd != int(null.Fd()) {
				syscall.Dup3(int(null.Fd()), fd, 0)
			}
		}
	case "runs tests of its own under the names":
		m := testing.MainStart(deps{}, []testing.InternalTest{{"TestStats", pass}, {"TestWhyHigh", pass}}, nil, nil, nil)
		defer func() { fmt.Println("refused:", recover()); os.Exit(0) }()
		channel.Main(m)
	case "runs tests of its own in a function called TestMain":
		defer func() { fmt.Println("refused:", recover()); os.Exit(0) }()
		TestMain(testing.MainStart(deps{}, []testing.InternalTest{{"TestStats", pass}}, nil, nil, nil))
	case "changes the arguments":
		os.Args = []string{os.Args[0], "-test.run=^TestWhyHigh$"}
	case "sets the flags":
		testing.Init()
		flag.Set("test.run", "^$")
	case "sends standard output away":
		null, _ := os.OpenFile("/dev/null", os.O_RDWR, 0)
		syscall.Dup3(int(null.Fd()), 1, 0)
		syscall.Dup3(int(null.Fd()), 2, 0)
	}
}

func TestMain(m *testing.M) { channel.Main(m) }

// deps is what testing.MainStart wants.
type deps struct{}

func (deps) ImportPath() string                          { return "" }
func (deps) MatchString(pat, str string) (bool, error)   { return true, nil }
func (deps) ModulePath() string                          { return "" }
func (deps) SetPanicOnExit0(bool)                        {}
func (deps) StartCPUProfile(io.Writer) error             { return nil }
func (deps) StopCPUProfile()                             {}
func (deps) StartTestLog(io.Writer)                      {}
func (deps) StopTestLog() error                          { return nil }
func (deps) WriteProfileTo(string, io.Writer, int) error { return nil }
func (deps) CoordinateFuzzing(time.Duration, int64, time.Duration, int64, int, []corpusEntry, []reflect.Type, string, string) error {
	return nil
}
func (deps) RunFuzzWorker(func(corpusEntry) error) error { return nil }
func (deps) ReadCorpus(string, []reflect.Type) ([]corpusEntry, error) {
	return nil, nil
}
func (deps) CheckCorpus([]any, []reflect.Type) error { return nil }
func (deps) ResetCoverage()                          {}
func (deps) SnapshotCoverage()                       {}
func (deps) InitRuntimeCoverage() (mode string, tearDown func(string, string) (string, error), snapcov func() float64) {
	return
}

type corpusEntry = struct {
	Parent     string
	Path       string
	Data       []byte
	Values     []any
	Generation int
	IsSeed     bool
}
`

// Whatever code prints, writes, closes or runs that can reach everything but the memory of others: a step that does not pass does not pass.
func TestForge(t *testing.T) {
	r, k := fixture(t, "q91")
	var variants []gotest.Variant
	for name := range strings.SplitSeq(forger, "case \"") {
		if name, _, ok := strings.Cut(name, "\":\n"); ok && !strings.HasPrefix(name, "package") {
			variants = append(variants, gotest.Variant{Name: name, Env: []string{"FORGE=" + name}, Only: []string{"TestStats"}})
		}
	}
	variants = append(variants, gotest.Variant{Name: "nothing"})
	ran := 0
	failed, err := r.Variants(t.Context(), k, gotest.Subject{Name: "forger", Source: []byte(forger)}, gotest.Options{Limit: 500 * time.Millisecond}, variants, func(i int, r *gotest.Report) {
		ran++
		s := r.Steps[0]
		t.Logf("%s: %s %q", variants[i].Name, s.Status, s.Text())
		if s.Status == gotest.Pass {
			t.Errorf("%s: TestStats passes", variants[i].Name)
		}
		if s.Text() == "" {
			t.Errorf("%s: no word says why", variants[i].Name)
		}
		for _, found := range []string{"read ", "found "} {
			if strings.Contains(s.Text(), found) {
				t.Errorf("%s: %s", variants[i].Name, s.Text())
			}
		}
	})
	if failed != nil || err != nil {
		t.Fatal(failed, err)
	}
	if ran != len(variants) || ran < 15 {
		t.Errorf("%d of %d forgeries were tried", ran, len(variants))
	}
}
