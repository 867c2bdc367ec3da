-- +goose Up
create table resources (
  account  text not null,
  region   text not null,
  type     text not null,
  id       text not null,
  arn      text not null default '',
  urn      text not null default '',
  by_cloud integer not null default 0,
  inputs   text not null,
  outputs  text not null,
  created  text not null,
  primary key (account, region, type, id)
);
create index resources_by_arn on resources (arn);
create index resources_by_type on resources (type);

-- What must be unique is a row here, so that uniqueness is a constraint and not a habit.
create table identities (
  key     text primary key,
  account text not null,
  region  text not null,
  type    text not null,
  id      text not null,
  foreign key (account, region, type, id) references resources (account, region, type, id) on delete cascade
);
create index identities_by_owner on identities (account, region, type, id);

create table journal (
  seq        integer primary key autoincrement,
  time       text not null,
  account    text not null,
  region     text not null,
  service    text not null,
  action     text not null,
  type       text not null,
  id         text not null,
  urn        text not null,
  outcome    text not null,
  latency_ms integer not null
);

create table faults (
  service   text not null,
  action    text not null,
  kind      text not null,
  remaining integer not null,
  primary key (service, action)
);

create table counters (
  name  text primary key,
  value integer not null
);

create table settings (
  name  text primary key,
  value text not null
);

-- +goose Down
drop table settings;
drop table counters;
drop table faults;
drop table journal;
drop table identities;
drop table resources;
