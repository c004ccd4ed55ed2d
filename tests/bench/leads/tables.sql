create schema if not exists bench;
create table if not exists bench.leads (id uuid primary key, state text not null default 'seen', touched int not null default 0);
create table if not exists bench.effects (id bigint generated always as identity primary key, lead_id uuid not null, step text not null);
create table if not exists bench.starts (probe_id uuid primary key, at double precision not null);
grant usage on schema bench to somos_app;
grant select, insert, update, delete, truncate on all tables in schema bench to somos_app;
