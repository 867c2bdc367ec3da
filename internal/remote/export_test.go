package remote

import "time"

// No test waits as long as somebody does who has lost a server.
func init() { firstPause = time.Millisecond }
