package sandbox_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whyhow/scripts/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Launch()
	if len(os.Args) > 2 && os.Args[1] == "hostile" {
		hostile(os.Args[2:])
		return
	}
	if kind := os.Getenv("SANDBOX_JUDGE"); kind != "" {
		judge(kind)
		return
	}
	os.Exit(m.Run())
}

const fileLimit = 8 << 20

// world is a folder that everybody may enter, for a judge's tests have one that others may not.
func world(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kata-sandbox-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// program is this test program, where everybody may run it.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	return self
}

func folder(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return dir
}

// TestAll runs the tests of each judge in a process of its own: from where everybody may run this program, and once as an ordinary user.
func TestAll(t *testing.T) {
	if os.Getenv("SANDBOX_GROUND") != "" {
		t.Skip("this is a judge's process")
	}
	dir := world(t)
	text, err := os.ReadFile(program(t))
	require.NoError(t, err)
	self := filepath.Join(dir, "judge.test")
	require.NoError(t, os.WriteFile(self, text, 0o755))
	users := map[string]*syscall.Credential{"as it is": nil}
	if os.Getuid() == 0 {
		users = map[string]*syscall.Credential{"root": nil, "ordinary": {Uid: 61183, Gid: 61183}}
	}
	ground, shared := prepare(t, dir), false
	for name, user := range users {
		t.Run(name, func(t *testing.T) {
			own := folder(t, dir, strings.ReplaceAll(name, " ", ""))
			cmd := exec.Command(self, "-test.v=true", "-test.run=^TestJudge$")
			cmd.Dir = own
			cmd.Env = []string{"TMPDIR=" + own, "HOME=" + own, "SANDBOX_GROUND=" + ground, "CI=" + os.Getenv("CI"), "PATH=" + os.Getenv("PATH")}
			if !shared {
				shared = true
				cmd.Env = append(cmd.Env, "SANDBOX_SHARED=yes")
			}
			if user != nil {
				require.NoError(t, os.Chown(own, int(user.Uid), int(user.Gid)))
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: user}
			}
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			require.NoError(t, cmd.Run())
		})
	}
}

// TestJudge tries all kinds.
func TestJudge(t *testing.T) {
	if os.Getenv("SANDBOX_GROUND") == "" {
		t.Skip("TestAll runs it")
	}
	shared := os.Getenv("SANDBOX_SHARED") != ""
	for _, kind := range []string{sandbox.Bubblewrap, sandbox.Landlock} {
		s, err := sandbox.Find(kind)
		if err != nil && os.Getenv("CI") == "" {
			t.Run(kind, func(t *testing.T) { t.Skip(err) })
			continue
		}
		require.NoError(t, err)
		helped := s.Name() == sandbox.Landlock && s.Namespaces()
		t.Run(kind, func(t *testing.T) { promises(t, s, shared, !helped) })
		shared = false
		if helped {
			t.Run(kind+" without namespaces", func(t *testing.T) { promises(t, s.WithoutNamespaces(), false, true) })
		}
	}
}

// promises tries what a sandbox promises. What takes longer, and is done by the same lines in another sandbox, is tried in one.
func promises(t *testing.T, s *sandbox.Sandbox, shared, build bool) {
	tests := map[string]func(*testing.T, *sandbox.Sandbox){
		"attempts": testAttempts, "attempts beside others": testAttemptsInCompany, "exit status": testExit, "memory": testMemory, "disk": testDisk,
		"bomb": testBomb, "survivor": testSurvivor, "stacks": testStacks, "context": testContext, "judge's end": testJudgesEnd,
	}
	if build {
		tests["build"] = testBuild
	}
	if shared {
		tests["CPU"], tests["clock"], tests["output"] = testLoop, testClock, testOutput
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, s) })
	}
}

// spec runs this program as a hostile one.
func spec(t *testing.T, args ...string) sandbox.Spec {
	t.Helper()
	self := program(t)
	scratch := folder(t, world(t), "scratch")
	return sandbox.Spec{
		Args: append([]string{self, "hostile"}, args...), Dir: scratch, Read: []string{self}, Scratch: scratch, Env: []string{"GIVEN=yes"},
		Limits: sandbox.Limits{CPU: 20 * time.Second, File: fileLimit, Scratch: 32 << 20, Alone: true},
	}
}

// run returns how a program ended and what it printed.
func run(t *testing.T, s *sandbox.Sandbox, spec sandbox.Spec) (sandbox.Ending, string) {
	t.Helper()
	var out bytes.Buffer
	spec.Stdout, spec.Stderr = &out, &out
	p, err := s.Start(t.Context(), spec)
	require.NoError(t, err)
	end, err := p.Wait()
	require.NoError(t, err)
	return end, out.String()
}

func decode(text string, s *surroundings) {
	if err := json.Unmarshal([]byte(text), s); err != nil {
		panic(err)
	}
}

func testAttempts(t *testing.T, s *sandbox.Sandbox) { attemptAll(t, s, true) }

// In a build processes may be started, and they are in the same sandbox.
func testAttemptsInCompany(t *testing.T, s *sandbox.Sandbox) {
	attemptAll(t, s, false, "fork", "start a process")
}

func attemptAll(t *testing.T, s *sandbox.Sandbox, alone bool, allowed ...string) {
	dir := world(t)
	around := surroundings{Judge: os.Getpid(), Unnamed: fmt.Sprintf("@sandbox-test-%d", os.Getpid())}
	around.Secret, around.Other = filepath.Join(folder(t, dir, "judge"), "secret"), filepath.Join(folder(t, dir, "other"), "scratch")
	around.Given, around.Unix = folder(t, dir, "given"), filepath.Join(dir, "socket")
	for _, file := range []string{around.Secret, around.Other, filepath.Join(around.Given, "file")} {
		require.NoError(t, os.WriteFile(file, []byte("secret"), 0o666))
		require.NoError(t, os.Chmod(file, 0o666))
	}
	require.NoError(t, os.Chmod(around.Given, 0o777))
	for network, address := range map[string]*string{"tcp": &around.TCP, "unix": &around.Unix, "unix ": &around.Unnamed} {
		l, err := net.Listen(strings.TrimSpace(network), map[bool]string{true: "127.0.0.1:0", false: *address}[*address == ""])
		require.NoError(t, err)
		defer l.Close()
		*address = l.Addr().String()
	}
	require.NoError(t, os.Chmod(around.Unix, 0o777))
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	defer udp.Close()
	around.UDP = udp.LocalAddr().String()

	sp := spec(t)
	around.Scratch = sp.Scratch
	text, err := json.Marshal(around)
	require.NoError(t, err)
	sp.Args = append(sp.Args, "attempts", string(text))
	sp.Read = append(sp.Read, around.Given)
	sp.Limits.Alone = alone
	heard, channel, err := os.Pipe()
	require.NoError(t, err)
	sp.Files = []*os.File{channel, channel}
	t.Setenv("LEAKED", "yes")
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH)
	defer signal.Stop(signals)
	leak, err := os.Open(around.Secret) // Go closes it on exec; nothing else may hand it on
	require.NoError(t, err)
	defer leak.Close()
	end, out := run(t, s, sp)
	require.Empty(t, signals)
	channel.Close()
	said, err := io.ReadAll(heard)
	require.NoError(t, err)
	require.Equal(t, "heard\nheard\n", string(said))
	require.Zero(t, end.Code, out)
	require.Contains(t, out, "\nend\n")
	for name := range friendly {
		if want := "\nfriendly: " + name + ": done\n"; !strings.Contains("\n"+out, want) {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
	for name := range attempts {
		want := name + ": failed"
		for _, may := range allowed {
			if may == name {
				want = name + ": done"
			}
		}
		if !strings.Contains("\n"+out, "\n"+want) {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
	for _, file := range []string{around.Secret, around.Other, filepath.Join(around.Given, "file")} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "secret", string(text), file)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o666), info.Mode(), file)
	}
}

func testExit(t *testing.T, s *sandbox.Sandbox) {
	end, _ := run(t, s, spec(t, "exit", "7"))
	require.Equal(t, 7, end.Code)
	require.Zero(t, end.Signal)
	sp := spec(t)
	sp.Args = []string{filepath.Join(sp.Scratch, "none")}
	_, err := s.Start(t.Context(), sp)
	require.ErrorContains(t, err, "no such file or directory")
}

func testLoop(t *testing.T, s *sandbox.Sandbox) {
	sp := spec(t, "loop")
	sp.Limits.CPU = time.Second
	end, out := run(t, s, sp)
	require.Equal(t, "loops\n", out)
	require.Equal(t, syscall.SIGKILL, end.Signal)
	require.Less(t, end.CPU, 4*time.Second)
}

func testMemory(t *testing.T, s *sandbox.Sandbox) {
	sp := spec(t, "allocate")
	sp.Limits.Memory = 128 << 20
	end, out := run(t, s, sp)
	require.NotZero(t, end.Code, out)
}

func testDisk(t *testing.T, s *sandbox.Sandbox) {
	sp := spec(t, "fill", "")
	sp.Args[len(sp.Args)-1] = sp.Scratch
	read, write, err := os.Pipe()
	require.NoError(t, err)
	sp.Stdout = write
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	if s.Name() == sandbox.Bubblewrap {
		require.NoError(t, err)
		var files int
		_, err = fmt.Sscanf(line, "full after %d", &files)
		require.NoError(t, err)
		require.LessOrEqual(t, files, 32)
		entries, err := os.ReadDir(sp.Scratch)
		require.NoError(t, err)
		require.Empty(t, entries, "the scratch is in memory")
		p.Kill()
	}
	end, err := p.Wait()
	require.NoError(t, err)
	require.Equal(t, syscall.SIGKILL, end.Signal)
	if s.Name() == sandbox.Landlock {
		require.Equal(t, "it wrote more than it may", end.Reason)
	}
}

// What prints without end fills a pipe that nobody reads, and can be ended.
func testOutput(t *testing.T, s *sandbox.Sandbox) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	sp := spec(t, "print")
	sp.Stdout = write
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	write.Close()
	_, err = io.ReadFull(read, make([]byte, 1<<20))
	require.NoError(t, err)
	p.Kill()
	end, err := p.Wait()
	require.NoError(t, err)
	require.Equal(t, syscall.SIGKILL, end.Signal)
	_, err = io.Copy(io.Discard, read) // and nobody holds the pipe any longer
	require.NoError(t, err)
}

// A fork bomb meets a limit, and a kill gets all of it.
func testBomb(t *testing.T, s *sandbox.Sandbox) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	sp := spec(t, "bomb")
	sp.Limits.Alone, sp.Limits.Tasks, sp.Stdout = false, 40, write
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "refused: resource temporarily unavailable\n", line)
	members := session(t, p.Pid())
	require.Greater(t, len(members), 1)
	if !strings.Contains(strings.Join(s.Lacks(), "\n"), "counted") {
		require.LessOrEqual(t, len(members), 40)
	}
	p.Kill()
	_, err = p.Wait()
	require.NoError(t, err)
	require.Empty(t, session(t, p.Pid()))
}

// session returns the processes of a session that are not dead.
func session(t *testing.T, leader int) (members []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		stat := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if stat[3] == strconv.Itoa(leader) && stat[0] != "Z" && stat[0] != "X" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			require.NoError(t, err)
			members = append(members, pid)
		}
	}
	return members
}

// What a program leaves behind ends with it, even if it wanted to leave its session.
func testSurvivor(t *testing.T, s *sandbox.Sandbox) {
	sp := spec(t, "survive")
	sp.Limits.Alone = false
	var out bytes.Buffer
	sp.Stdout = &out // a survivor would hold it open, and Wait would not return
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	_, err = p.Wait()
	require.NoError(t, err)
	require.Equal(t, "left\n", out.String())
	require.Empty(t, session(t, p.Pid()))
	sp.Limits.Alone, sp.Stdout = true, nil
	_, said := run(t, s, sp)
	require.Contains(t, said, "no child: operation not permitted")
}

// SIGQUIT reaches the program itself, as whose number the judge knows.
func testStacks(t *testing.T, s *sandbox.Sandbox) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	var stacks bytes.Buffer
	sp := spec(t, "wait")
	sp.Stdout, sp.Stderr = write, &stacks
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	write.Close()
	_, err = bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, p.Signal(syscall.SIGQUIT))
	_, err = p.Wait()
	require.NoError(t, err)
	require.Regexp(t, regexp.MustCompile(`(?s)SIGQUIT: quit.*sandbox_test\.hostile`), stacks.String())
}

// A context that ends, ends the program.
func testContext(t *testing.T, s *sandbox.Sandbox) {
	ctx, cancel := context.WithCancel(t.Context())
	read, write, err := os.Pipe()
	require.NoError(t, err)
	sp := spec(t, "wait")
	sp.Stdout = write
	p, err := s.Start(ctx, sp)
	require.NoError(t, err)
	write.Close()
	_, err = bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	cancel()
	end, err := p.Wait()
	require.NoError(t, err)
	require.Equal(t, syscall.SIGKILL, end.Signal)
}

// The CPU time of children counts.
func testClock(t *testing.T, s *sandbox.Sandbox) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	sp := spec(t, "children")
	sp.Limits.Alone, sp.Stdout = false, write
	p, err := s.Start(t.Context(), sp)
	require.NoError(t, err)
	write.Close()
	lines := bufio.NewScanner(read)
	require.True(t, lines.Scan())
	require.Equal(t, "<nil>", lines.Text())
	for p.CPU() < 300*time.Millisecond {
		require.NoError(t, p.Signal(syscall.Signal(0)), "it has ended")
		time.Sleep(10 * time.Millisecond)
	}
	p.Kill()
	_, err = p.Wait()
	require.NoError(t, err)
}

// If the judge is killed, the program ends too.
func testJudgesEnd(t *testing.T, s *sandbox.Sandbox) {
	kind := s.Name()
	if kind == sandbox.Landlock && !s.Namespaces() {
		kind += " alone"
	}
	read, write, err := os.Pipe()
	require.NoError(t, err)
	j := exec.Command(program(t))
	j.Env = append(os.Environ(), "SANDBOX_JUDGE="+kind)
	j.Stdout, j.Stderr = write, os.Stderr
	require.NoError(t, j.Start())
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "waits\n", line)
	require.NoError(t, j.Process.Kill())
	_ = j.Wait()                       // it was killed
	_, err = io.Copy(io.Discard, read) // as soon as nobody holds the pipe any longer
	require.NoError(t, err)
}

// judge is a program that starts another in a sandbox, and waits.
func judge(kind string) {
	name, alone := strings.CutSuffix(kind, " alone")
	s, err := sandbox.Find(name)
	if err == nil && alone {
		s = s.WithoutNamespaces()
	}
	if err == nil {
		var self string
		self, err = os.Executable()
		if err == nil {
			_, err = s.Start(context.Background(), sandbox.Spec{
				Args: []string{self, "hostile", "wait"}, Dir: "/", Read: []string{self}, Stdout: os.Stdout, Limits: sandbox.Limits{Alone: true},
			})
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	idle()
}
