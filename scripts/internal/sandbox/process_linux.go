package sandbox

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// held is what a Process holds on Linux.
type held struct {
	lock  io.Closer   // of the user; nil: the judge's own
	first *os.Process // of a namespace, whose end is that of all; nil: there is none
}

func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// Kill ends the program and all that it has started. The first process of a namespace takes all others of it along; where there is none, no process could
// leave the group.
func (p *Process) Kill() {
	if p.first != nil {
		_ = p.first.Kill() // or it has ended
		return
	}
	_ = p.inner.Kill()
	select {
	case <-p.ended: // and its number may be another's
	default:
		_ = unix.Kill(-p.pid, unix.SIGKILL)
	}
}

// sweep waits for the end of the program, and ends what it leaves behind while nobody else can have its number.
func (p *Process) sweep() {
	if p.first != nil {
		return // the kernel has who waits for the first wait for all
	}
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	for unix.Kill(-p.pid, unix.SIGKILL) == nil && p.others() {
		time.Sleep(time.Millisecond)
	}
}

// others says whether a process of the group lives, besides the first, which has ended.
func (p *Process) others() (live bool) {
	p.each(func(pid int, stat []string) { live = live || pid != p.pid && stat[0] != "Z" && stat[0] != "X" })
	return live
}

func (p *Process) release() {
	if p.first != nil {
		_ = p.first.Release()
	}
	if p.lock != nil {
		p.lock.Close()
	}
}

// decode reads what the first process of a namespace makes of an end by a signal.
func (p *Process) decode(end *Ending, state *os.ProcessState) {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		end.Signal = status.Signal()
	} else if p.first != nil && end.Code > 128 && end.Code <= 128+64 {
		end.Code, end.Signal = -1, syscall.Signal(end.Code-128)
	}
}

// CPU is what the program and all that it has started have used.
func (p *Process) CPU() (used time.Duration) {
	var t unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes it.
	if unix.ClockGettime(int32(^uint32(p.pid))<<3|2, &t) == nil {
		used = time.Duration(t.Nano())
	}
	if p.alone {
		return used
	}
	p.each(func(pid int, stat []string) {
		const tick = time.Second / 100 // USER_HZ
		for i, field := range stat[11:15] {
			if n, err := strconv.ParseInt(field, 10, 64); err == nil && (pid != p.pid || i >= 2) {
				used += time.Duration(n) * tick
			}
		}
	})
	return used
}

// each calls f for the processes of the program's session, with the fields of proc(5)'s stat from the state on. Nothing leaves the session.
func (p *Process) each(f func(pid int, stat []string)) {
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	session := strconv.Itoa(p.pid)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The name in brackets may hold anything.
		stat := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && len(stat) > 15 && stat[3] == session {
			f(pid, stat)
		}
	}
}

// taken is the space that the files in the folders take, each with what the system needs to know of it.
func taken(folders []string) (size int64) {
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // what goes away meanwhile takes nothing
			}
			size += 1 << 10
			if info, err := d.Info(); err == nil {
				if stat, ok := info.Sys().(*syscall.Stat_t); ok {
					size += stat.Blocks * 512
				}
			}
			return nil
		})
	}
	return size
}
