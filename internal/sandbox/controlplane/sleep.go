package controlplane

import (
	"context"
	"path/filepath"
	"runtime/debug"
	"time"
)

// asleep listens, without any child, until somebody connects. It reports whether
// somebody has, and the cluster shall be awake again.
func (s *supervisor) asleep(ctx context.Context, p *proxy) (wakes bool, err error) {
	debug.FreeOSMemory()
	tick := time.NewTicker(s.every())
	defer tick.Stop()
	for {
		select {
		case <-p.knock:
			s.log.Info("wakes up")
			s.unused(time.Time{})
			s.report(phaseStarting, "waking up: starting etcd and kube-apiserver")
			return true, nil
		case <-tick.C:
			if s.over(p) {
				return false, nil
			}
		case err := <-p.failed:
			return false, err
		case <-ctx.Done():
			s.log.Info("asked to stop")
			return false, nil
		}
	}
}

// unused tells the other supervisors since when nobody has used the cluster.
func (s *supervisor) unused(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.status.Unused.Equal(since) {
		s.status.Unused = since
		s.write()
	}
}

// crowded reports whether it is this cluster's turn to sleep: too many of the
// root are awake, and of those that nobody uses, the ones that have been left
// alone for longest go first. Each supervisor judges for itself by what all of
// them have written, so that none has to be asked.
func (s *supervisor) crowded() bool {
	s.mu.Lock()
	self, own := s.status.process, s.status.Unused
	s.mu.Unlock()
	if own.IsZero() {
		return false
	}
	others, err := filepath.Glob(filepath.Join(filepath.Dir(s.files.dir), "..", "..", "*", "*", "*", filepath.Base(s.files.status())))
	if err != nil {
		return false // it is a bad pattern that is an error, and a root's name may be one
	}
	awake, before := 1, 0
	for _, file := range others {
		other, err := readJSON[status](file)
		if err != nil || other.process == self || other.Phase != phaseReady && other.Phase != phaseStarting || !other.alive() {
			continue // it may also have been deleted meanwhile
		}
		awake++
		if !other.Unused.IsZero() && (other.Unused.Before(own) || other.Unused.Equal(own) && other.PID < self.PID) {
			before++
		}
	}
	return awake-before > max(s.options.Awake, 0)
}
