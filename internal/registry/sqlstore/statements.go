package sqlstore

// statement is a statement of SQL that both databases take as it is. All of them
// are in this file, and a test reads each: one that names a table of orgs'
// records names the org that it is about by $1. A statement whose name begins
// with fleet is about all orgs, and FleetStore's alone.
type statement string

const (
	selectLease statement = `SELECT l.operation, l.token, l.renewals, l.holder, l.until, l.renewed, o.kind, o.started
		FROM leases l JOIN operations o ON o.org = l.org AND o.id = l.operation WHERE l.org = $1`
	selectHeld statement = `SELECT cancelled FROM operations
		WHERE org = $1 AND id = $2 AND token = $3 AND state = 'running'`
	nextToken statement = `INSERT INTO fences (org, token) VALUES ($1, 1)
		ON CONFLICT (org) DO UPDATE SET token = fences.token + 1 RETURNING token`
	putLease statement = `INSERT INTO leases (org, operation, token, holder, until, renewed, renewals)
		VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT (org) DO UPDATE SET operation = excluded.operation, token = excluded.token,
		holder = excluded.holder, until = excluded.until, renewed = excluded.renewed, renewals = 0`
	renewLease statement = `UPDATE leases SET holder = $2, until = $3, renewed = $4, renewals = renewals + 1 WHERE org = $1`
	dropLease  statement = `DELETE FROM leases WHERE org = $1`

	// Operations of earlier versions have no token, and only their times say which was first.
	selectOperations statement = `SELECT org, id, kind, state, started, finished, error, request, reason, retry_at FROM operations
		WHERE org = $1 ORDER BY token DESC, started DESC, id DESC`
	selectLast statement = `SELECT org, id, kind, state, started, finished, error, request, reason, retry_at FROM operations
		WHERE org = $1 ORDER BY token DESC, started DESC, id DESC LIMIT 1`
	selectOperation statement = `SELECT org, id, kind, state, started, finished, error, request, reason, retry_at FROM operations WHERE org = $1 AND id = $2`
	selectRunning   statement = `SELECT org, id, kind, state, started, finished, error, request, reason, retry_at FROM operations
		WHERE org = $1 AND state = 'running'`
	selectRequest  statement = `SELECT id, kind, document FROM operations WHERE org = $1 AND request = $2 AND request <> ''`
	selectDocument statement = `SELECT document FROM operations WHERE org = $1 AND id = $2`
	putOperation   statement = `INSERT INTO operations (org, id, kind, state, started, token, delivered, request, document)
		VALUES ($1, $2, $3, $4, $5, $6, FALSE, $7, $8)`
	resumeOperation statement = `UPDATE operations SET token = $3, cancelled = '' WHERE org = $1 AND id = $2 AND state = 'running'`
	cancelOperation statement = `UPDATE operations SET cancelled = $3 WHERE org = $1 AND id = $2 AND state = 'running'`
	endOperation    statement = `UPDATE operations SET state = $3, finished = $4, error = $5, reason = $6, retry_at = $7, delivered = FALSE
		WHERE org = $1 AND id = $2 AND state = 'running'`
	markDelivered statement = `UPDATE operations SET delivered = TRUE WHERE org = $1 AND id = $2 AND state <> 'running'`

	nextEvent statement = `SELECT coalesce(max(seq), 0) + 1 FROM events WHERE org = $1 AND operation = $2`
	putEvent  statement = `INSERT INTO events (org, operation, seq, version, type, body) VALUES ($1, $2, $3, $4, $5, $6)`
	// The terminal events that are not known to have been sent.
	selectUndelivered statement = `SELECT e.version, e.seq, e.body FROM operations o JOIN events e ON e.org = o.org AND e.operation = o.id
		WHERE o.org = $1 AND NOT o.delivered AND o.state <> 'running' AND e.type = 'operation.' || o.state
		ORDER BY o.token, o.started, o.id`
	selectEvents statement = `SELECT version, seq, body FROM events WHERE org = $1 AND operation = $2 AND seq > $3 ORDER BY seq`

	putOrg statement = `INSERT INTO orgs (org, state, plan, hash, hash_version, management, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (org) DO UPDATE SET state = excluded.state, plan = excluded.plan,
		hash = excluded.hash, hash_version = excluded.hash_version, management = excluded.management, updated = excluded.updated`
	selectOrg statement = `SELECT org, state, plan, hash, hash_version, management, updated FROM orgs WHERE org = $1`

	dropProjects   statement = `DELETE FROM projects WHERE org = $1`
	putProject     statement = `INSERT INTO projects (org, project, body) VALUES ($1, $2, $3)`
	selectProjects statement = `SELECT project, body FROM projects WHERE org = $1 ORDER BY project`

	dropExceptions   statement = `DELETE FROM exceptions WHERE org = $1`
	putException     statement = `INSERT INTO exceptions (org, rule, resource, reason, approver, expires) VALUES ($1, $2, $3, $4, $5, $6)`
	selectExceptions statement = `SELECT rule, resource, reason, approver, expires FROM exceptions WHERE org = $1 ORDER BY rule, resource`

	putDataPlane statement = `INSERT INTO data_planes (org, facts, updated) VALUES ($1, $2, $3)
		ON CONFLICT (org) DO UPDATE SET facts = excluded.facts, updated = excluded.updated`
	selectDataPlane statement = `SELECT facts FROM data_planes WHERE org = $1`

	putLayer statement = `INSERT INTO layers (org, layer, state, unclean, made, outputs, resources, duration, error, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (org, layer) DO UPDATE SET state = excluded.state,
		unclean = excluded.unclean, made = excluded.made, outputs = excluded.outputs, resources = excluded.resources,
		duration = excluded.duration, error = excluded.error, updated = excluded.updated`
	selectLayers statement = `SELECT layer, state, unclean, made, outputs, resources, duration, error, updated FROM layers WHERE org = $1`

	putLayerRun statement = `INSERT INTO layer_runs (org, operation, layer, cloud, kind, duration, finished) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, operation, layer) DO UPDATE SET cloud = excluded.cloud, kind = excluded.kind, duration = excluded.duration,
		finished = excluded.finished`
	trimLayerRuns statement = `DELETE FROM layer_runs WHERE org = $1 AND layer = $2 AND cloud = $3 AND kind = $4 AND operation NOT IN (
		SELECT operation FROM layer_runs WHERE org = $1 AND layer = $2 AND cloud = $3 AND kind = $4
		ORDER BY finished DESC, operation DESC LIMIT $5)`

	nextStep statement = `SELECT coalesce(max(seq), 0) + 1 FROM steps WHERE org = $1 AND operation = $2`
	putStep  statement = `INSERT INTO steps (org, operation, seq, name, layer, attempt, state, started, deadline, holder)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	endStep        statement = `UPDATE steps SET state = $4, finished = $5, error = $6 WHERE org = $1 AND operation = $2 AND seq = $3`
	interruptSteps statement = `UPDATE steps SET state = 'interrupted', finished = $3 WHERE org = $1 AND operation = $2 AND state = 'running'`
	selectSteps    statement = `SELECT seq, name, layer, attempt, state, started, finished, deadline, error, holder FROM steps
		WHERE org = $1 AND operation = $2 ORDER BY seq`
	selectWorked statement = `SELECT seq, name, layer, attempt, state, started, finished, deadline, error, holder FROM steps
		WHERE org = $1 AND layer = $2 AND state <> 'running' AND started <= $3 AND finished >= $4 ORDER BY started, operation, seq`

	putDrift     statement = `INSERT INTO drift_reports (org, id, at, drifted, complete, body) VALUES ($1, $2, $3, $4, $5, $6)`
	selectDrifts statement = `SELECT body FROM drift_reports WHERE org = $1 ORDER BY at DESC, id DESC LIMIT $2`
	trimDrifts   statement = `DELETE FROM drift_reports WHERE org = $1
		AND id NOT IN (SELECT id FROM drift_reports WHERE org = $1 ORDER BY at DESC, id DESC LIMIT $2)`

	selectAuditHead statement = `SELECT seq, hash FROM audit_log WHERE org = $1 ORDER BY seq DESC LIMIT 1`
	putAudit        statement = `INSERT INTO audit_log (org, seq, at, actor, request, what, result, previous, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	// As many rows in one statement are one round trip instead of sixteen.
	putAudits statement = `INSERT INTO audit_log (org, seq, at, actor, request, what, result, previous, hash) VALUES
		($1, $2, $3, $4, $5, $6, $7, $8, $9),
		($1, $10, $11, $12, $13, $14, $15, $16, $17),
		($1, $18, $19, $20, $21, $22, $23, $24, $25),
		($1, $26, $27, $28, $29, $30, $31, $32, $33),
		($1, $34, $35, $36, $37, $38, $39, $40, $41),
		($1, $42, $43, $44, $45, $46, $47, $48, $49),
		($1, $50, $51, $52, $53, $54, $55, $56, $57),
		($1, $58, $59, $60, $61, $62, $63, $64, $65),
		($1, $66, $67, $68, $69, $70, $71, $72, $73),
		($1, $74, $75, $76, $77, $78, $79, $80, $81),
		($1, $82, $83, $84, $85, $86, $87, $88, $89),
		($1, $90, $91, $92, $93, $94, $95, $96, $97),
		($1, $98, $99, $100, $101, $102, $103, $104, $105),
		($1, $106, $107, $108, $109, $110, $111, $112, $113),
		($1, $114, $115, $116, $117, $118, $119, $120, $121),
		($1, $122, $123, $124, $125, $126, $127, $128, $129)`
	selectAudit statement = `SELECT org, seq, at, actor, request, what, result, previous, hash FROM audit_log
		WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT $3`

	selectEndpoints statement = `SELECT e.name, e.url, e.secret, e.types, e.created, e.disabled,
		(SELECT count(*) FROM outbox w WHERE w.org = $1 AND w.endpoint = e.name AND w.state = 'pending'),
		(SELECT count(*) FROM outbox d WHERE d.org = $1 AND d.endpoint = e.name AND d.state = 'dead'),
		coalesce((SELECT o.next_try FROM outbox o WHERE o.org = $1 AND o.endpoint = e.name AND o.state = 'pending' ORDER BY o.seq LIMIT 1), ''),
		coalesce((SELECT o.error FROM outbox o WHERE o.org = $1 AND o.endpoint = e.name AND o.state = 'pending' ORDER BY o.seq LIMIT 1), '')
		FROM endpoints e WHERE e.org = $1 ORDER BY e.name`
	putEndpoint statement = `INSERT INTO endpoints (org, name, url, secret, types, created) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (org, name) DO UPDATE SET url = excluded.url, secret = excluded.secret, types = excluded.types, disabled = ''`
	enableEndpoint statement = `UPDATE endpoints SET disabled = '' WHERE org = $1 AND name = $2`
	dropOutbox     statement = `DELETE FROM outbox WHERE org = $1 AND endpoint = $2`
	dropEndpoint   statement = `DELETE FROM endpoints WHERE org = $1 AND name = $2`

	selectSelections statement = `SELECT name, types FROM endpoints WHERE org = $1 ORDER BY name`
	// What is delivered is not kept: the event is stored as well. A number is used
	// again only when nothing older is left, so the order is the same.
	putDelivery statement = `INSERT INTO outbox (org, endpoint, seq, id, operation, event_seq, body, state, next_try, created)
		VALUES ($1, $2, (SELECT coalesce(max(o.seq), 0) + 1 FROM outbox o WHERE o.org = $1 AND o.endpoint = $2), $3, $4, $5, $6, 'pending', $7, $7)`
	selectDead statement = `SELECT endpoint, seq, id, operation, body, attempts, created, error FROM outbox
		WHERE org = $1 AND state = 'dead' AND (endpoint = $2 OR $2 = '') ORDER BY endpoint, seq`
	resend statement = `UPDATE outbox SET state = 'pending', attempts = 0, next_try = $4
		WHERE org = $1 AND endpoint = $2 AND seq = $3 AND state = 'dead'`

	// Only the oldest waiting delivery counts: those behind it wait for it.
	selectDue statement = `SELECT e.name FROM endpoints e JOIN outbox o ON o.org = e.org AND o.endpoint = e.name AND o.seq =
			(SELECT min(w.seq) FROM outbox w WHERE w.org = $1 AND w.endpoint = e.name AND w.state = 'pending')
		WHERE e.org = $1 AND e.disabled = '' AND e.claimed <= $2 AND o.next_try <= $2 ORDER BY e.name`
	takeTurn statement = `UPDATE endpoints SET claimed = $4, claimer = $5 WHERE org = $1 AND name = $2 AND disabled = '' AND claimed <= $3
		RETURNING name, url, secret, types, created, disabled`
	keepTurn   statement = `UPDATE endpoints SET claimed = $4 WHERE org = $1 AND name = $2 AND claimer = $3 AND disabled = ''`
	yieldTurn  statement = `UPDATE endpoints SET claimed = '', claimer = '' WHERE org = $1 AND name = $2 AND claimer = $3`
	selectNext statement = `SELECT endpoint, seq, id, operation, body, attempts, created, error, next_try FROM outbox
		WHERE org = $1 AND endpoint = $2 AND state = 'pending' ORDER BY seq LIMIT 1`
	selectTurn statement = `SELECT name FROM endpoints WHERE org = $1 AND name = $2 AND claimer = $3`
	putAttempt statement = `UPDATE outbox SET state = $4, attempts = attempts + 1, next_try = $5, error = $6
		WHERE org = $1 AND endpoint = $2 AND seq = $3 AND state = 'pending'`
	disable      statement = `UPDATE endpoints SET disabled = $3 WHERE org = $1 AND name = $2`
	dropDelivery statement = `DELETE FROM outbox WHERE org = $1 AND endpoint = $2 AND seq = $3 AND state = 'pending'`

	fleetOrgs    statement = `SELECT org, state, plan, hash, hash_version, management, updated FROM orgs ORDER BY org`
	fleetOutputs statement = `SELECT org, outputs FROM layers WHERE state <> 'removed' AND outputs IS NOT NULL ORDER BY org, layer`
	fleetRunning statement = `SELECT org, id, kind, state, started, finished, error, request, reason, retry_at FROM operations
		WHERE state = 'running' ORDER BY org`
	fleetResources statement = `SELECT coalesce(max(resources), 0) FROM layers WHERE layer = $1 AND state = 'done'`
	fleetOwner     statement = `SELECT org FROM ledger WHERE kind = $1 AND value = $2`

	fleetLayerRuns statement = `SELECT layer, cloud, kind, duration FROM (
		SELECT layer, cloud, kind, duration, row_number() OVER (PARTITION BY layer, kind ORDER BY finished DESC, org, operation) AS place
		FROM layer_runs WHERE cloud = $1) runs WHERE place <= $2 ORDER BY layer, kind, place`
	fleetEndpoints statement = `SELECT e.org, e.name, e.url, e.secret, e.types, e.created, e.disabled,
		(SELECT count(*) FROM outbox w WHERE w.org = e.org AND w.endpoint = e.name AND w.state = 'pending'),
		(SELECT count(*) FROM outbox d WHERE d.org = e.org AND d.endpoint = e.name AND d.state = 'dead'),
		coalesce((SELECT o.next_try FROM outbox o WHERE o.org = e.org AND o.endpoint = e.name AND o.state = 'pending' ORDER BY o.seq LIMIT 1), ''),
		coalesce((SELECT o.error FROM outbox o WHERE o.org = e.org AND o.endpoint = e.name AND o.state = 'pending' ORDER BY o.seq LIMIT 1), '')
		FROM endpoints e ORDER BY e.org, e.name`
	fleetDue statement = `SELECT e.org, e.name FROM endpoints e JOIN outbox o ON o.org = e.org AND o.endpoint = e.name AND o.seq =
			(SELECT min(w.seq) FROM outbox w WHERE w.org = e.org AND w.endpoint = e.name AND w.state = 'pending')
		WHERE e.disabled = '' AND e.claimed <= $1 AND o.next_try <= $1 ORDER BY o.next_try, e.org, e.name`

	fleetAuditHead statement = `SELECT seq, hash FROM fleet_audit_log ORDER BY seq DESC LIMIT 1`
	fleetPutAudit  statement = `INSERT INTO fleet_audit_log (seq, at, actor, request, what, result, previous, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	fleetAudit statement = `SELECT '' AS org, seq, at, actor, request, what, result, previous, hash FROM fleet_audit_log
		WHERE seq > $1 ORDER BY seq LIMIT $2`
)

// LedgerStatements are the only statements that differ between databases: their
// tables have rows of other orgs in them, which no org may see. $1 is the org.
type LedgerStatements struct {
	// Claim takes kind, value, when, and whether it was made. It returns one row
	// if the identity is the org's now, and none if another org has it.
	Claim string
	// Release takes kind and value, and gives up what was only foreseen.
	Release string
	// Mine returns kind, value and made of what the org owns, by kind and value.
	Mine string
	// Taken takes a JSON array of values, and returns kind and value of those that
	// other orgs own, by kind and value.
	Taken string
	// Slots are those that all orgs share.
	Slots SlotStatements
}
