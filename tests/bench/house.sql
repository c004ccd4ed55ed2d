-- Ten years of a busy house, in seconds: 100 000 leads and deals, 300 000 activities, what was written to whom.
-- Twenty sellers, the first with a fifth of it, the last with a fortieth. The same house every time.
select setseed(0.42);

select set_config('bench.sellers', :sellers, true);
-- A seller by chance: the square makes the first ones have most.
create function pg_temp.seller(chance double precision) returns uuid language sql stable
    as $$ select (cast(current_setting('bench.sellers') as uuid[]))[1 + cast(floor(20 * power($1, 2)) as int)] $$;
-- When row n of many was made; ids are in the order of time, as the mesh makes them.
create function pg_temp.ago(n bigint, of bigint) returns interval language sql immutable
    as $$ select -make_interval(secs => 315360000.0 * (of - n) / of) $$;

insert into crm.pipelines (id, code, name, position, active, version)
select cast(:pipeline as uuid), 'casa', 'Casa', 90, true, 1;
insert into crm.deal_stages (id, pipeline_id, name, position, probability, max_days, required_fields, version)
select uuidv7(), cast(:pipeline as uuid), 'Etapa ' || n, n, n * 12, 30, '[]', 1 from generate_series(1, 8) n;
create temporary table stages on commit drop as
    select id, position as no from crm.deal_stages where pipeline_id = cast(:pipeline as uuid);
insert into crm.lost_reasons (id, name, position, active, version)
select uuidv7(), 'Motivo de medida ' || n, 100 + n, true, 1 from generate_series(1, 6) n;
create temporary table reasons on commit drop as
    select id, row_number() over (order by id) as no from crm.lost_reasons where name like 'Motivo de medida%';
create function pg_temp.word(n bigint) returns text language sql immutable
    as $$ select (array['aurora', 'horizonte', 'pinheiro', 'atlantica', 'cascata', 'diamante', 'esmeralda', 'fortaleza',
        'girassol', 'harmonia', 'imperial', 'jacaranda', 'kodiak', 'lumiere', 'mirante', 'nascente', 'oceano',
        'planalto', 'quilombo', 'relampago', 'serrana', 'tucano', 'ubatuba', 'vitoria', 'xavante', 'zenite',
        'andorinha', 'beija-flor', 'capivara', 'dourado'])[1 + mod(abs(hashint8($1)), 30)] $$;

insert into crm.companies (id, name, name_key, document, domain, phone, email, city, uf, owner_id, version, created_at)
select uuidv7(pg_temp.ago(n, 40000)), name, lower(name), lpad(cast(n as text), 14, '0'), 'empresa' || n || '.com.br',
    '+55119' || lpad(cast(n as text), 8, '0'), 'contato@empresa' || n || '.com.br', 'São Paulo', 'SP',
    pg_temp.seller(random()), 1, now() + pg_temp.ago(n, 40000)
from generate_series(1, 40000) n,
    lateral (select initcap(pg_temp.word(n) || ' ' || pg_temp.word(n + 50000)) || ' Produções ' || n) as told (name);
create temporary table companies on commit drop as
    select id, row_number() over (order by id) as no from crm.companies;
create unique index on pg_temp.companies (no);

insert into crm.contacts (id, name, name_key, title, email, phone, owner_id, version, created_at)
select uuidv7(pg_temp.ago(n, 60000)), name, lower(name), 'Marketing', 'pessoa' || n || '@empresa.com.br',
    '+55219' || lpad(cast(n as text), 8, '0'), pg_temp.seller(random()), 1, now() + pg_temp.ago(n, 60000)
from generate_series(1, 60000) n,
    lateral (select initcap(pg_temp.word(n) || ' ' || pg_temp.word(n * 7)) || ' da Silva ' || n) as told (name);
create temporary table contacts on commit drop as
    select id, row_number() over (order by id) as no from crm.contacts;
create unique index on pg_temp.contacts (no);
insert into crm.company_contacts (id, company_id, contact_id, role)
select uuidv7(), companies.id, contacts.id, 'contato'
from contacts join companies on companies.no = 1 + mod(contacts.no, 40000);

insert into crm.deals (id, title, title_key, pipeline_id, stage_id, stage_entered_at, owner_id, company_id, contact_id,
    value_cents, probability, expected_close_date, state, closed_at, closed_on, lost_reason_id, lead_id, origin,
    version, created_at)
select uuidv7(pg_temp.ago(n, 100000)), title, lower(title), cast(:pipeline as uuid), stages.id,
    at + make_interval(days => 20), case when mod(n, 200) > 0 then pg_temp.seller(random()) end, companies.id,
    contacts.id, mod(n * 7919, 5000000), 40,
    case when mod(n, 9) > 0 then cast(at + make_interval(days => 60) as date) end, state,
    case when state <> 'open' then at + make_interval(days => 45) end,
    case when state = 'won' then cast(at + make_interval(days => 45) as date) end,
    case when state = 'lost' then reasons.id end, null, 'manual', 1, at
from generate_series(1, 100000) n
cross join lateral (select now() + pg_temp.ago(n, 100000), case when n > 80000 and mod(n, 4) > 0 then 'open'
    when mod(n, 3) = 0 then 'won' else 'lost' end) as told (at, state)
cross join lateral (select 'Filme ' || pg_temp.word(n) || ' ' || pg_temp.word(n * 3) || ' campanha ' || n) as named (title)
join stages on stages.no = 1 + mod(n * 31, 8)
join companies on companies.no = 1 + mod(n, 40000)
join contacts on contacts.no = 1 + mod(n, 60000)
join reasons on reasons.no = 1 + mod(n, 6);

-- Where they stood: stage by stage up to where they are, then closed or still there.
insert into crm.deal_stage_history (id, deal_id, step, stage_id, state, entered_at, left_at, next_state, next_stage_id)
select uuidv7(deal.created_at + make_interval(days => 3 * step) - now()), deal.id, step, stages.id, 'open',
    deal.created_at + make_interval(days => 3 * step - 3),
    case when ended then deal.created_at + make_interval(days => 3 * step) end,
    case when step < last.no then 'open' when ended then deal.state end,
    case when step < last.no then following.id when ended then deal.stage_id end
from crm.deals deal join stages here on here.id = deal.stage_id
cross join lateral (select least(here.no, 3)) as last (no)
cross join lateral generate_series(1, last.no) as step
cross join lateral (select step < last.no or deal.state <> 'open') as told (ended)
join stages on stages.no = here.no - last.no + step
left join stages following on following.no = stages.no + 1
where deal.pipeline_id = cast(:pipeline as uuid) order by deal.id, step;
insert into crm.deal_stage_history (id, deal_id, step, stage_id, state, entered_at)
select uuidv7(deal.closed_at - now()), deal.id, 1 + least(here.no, 3), deal.stage_id, deal.state,
    deal.created_at + make_interval(days => 3 * least(here.no, 3))
from crm.deals deal join stages here on here.id = deal.stage_id
where deal.pipeline_id = cast(:pipeline as uuid) and deal.state <> 'open';

insert into crm.deal_activities (id, deal_id, kind, subject, author_kind, assignee_id, happened_at, due_at, done_at,
    version)
select uuidv7(at - now()), deal.id, case when mod(n, 3) = 0 then 'task' else 'call' end, 'Falar com ' || n, 'user',
    deal.owner_id, at, case when mod(n, 3) = 0 then at + make_interval(days => 5) end,
    case when mod(n, 3) = 0 and (deal.state <> 'open' or mod(hashint8(deal.no), 2) = 0)
        then at + make_interval(days => 4) end, 1
from (select *, row_number() over (order by id) as no from crm.deals where pipeline_id = cast(:pipeline as uuid)) deal
cross join generate_series(1, 3) n
cross join lateral (select deal.created_at + make_interval(days => 2 * cast(n as int))) as told (at);

insert into crm.tags (id, name, name_key, color, version)
select uuidv7(), 'medida ' || n, 'medida ' || n, '#64748b', 1 from generate_series(1, 20) n;
insert into crm.taggings (id, tag_id, deal_id)
select uuidv7(), tag.id, deal.id
from (select id, row_number() over (order by id) as no from crm.deals) deal
join (select id, row_number() over (order by id) as no from crm.tags where name like 'medida %') tag
    on tag.no = 1 + mod(hashint8(deal.no) & 1023, 20)
where mod(deal.no, 2) = 0;

insert into hunter.icp_profiles (id, name, number, archived, created_by, version)
select cast(:icp as uuid), 'Medida', 1, false, pg_temp.seller(0), 1;
insert into hunter.leads (id, state, company_name, name_words, domain, city, city_key, uf, source, icp_id, icp_number,
    owner_id, held, score, legal_basis, collected_at, retain_until, created_at, updated_at, version)
select uuidv7(pg_temp.ago(n, 100000)), (array['scored', 'qualified', 'rejected_campaign', 'in_cadence', 'replied',
    'not_interested', 'rejected_campaign', 'qualified'])[1 + mod(n, 8)], initcap(name), string_to_array(name, ' '),
    'site' || n || '.com.br', (array['São Paulo', 'Rio de Janeiro', 'Curitiba', 'Recife'])[1 + mod(n, 4)],
    (array['sao paulo', 'rio de janeiro', 'curitiba', 'recife'])[1 + mod(n, 4)],
    (array['SP', 'RJ', 'PR', 'PE'])[1 + mod(n, 4)], (array['maps', 'web', 'csv', 'person'])[1 + mod(n, 4)],
    cast(:icp as uuid), 1, case when mod(n, 3) = 0 then pg_temp.seller(random()) end, false, mod(n * 37, 101),
    'legitimate_interest', at, cast(at + interval '6 months' as date), at, at, 1
from generate_series(1, 100000) n
cross join lateral (select now() + pg_temp.ago(n, 100000)) as told (at)
cross join lateral (select pg_temp.word(n * 11) || ' ' || pg_temp.word(n * 13) || ' eventos ' || n) as named (name);
create temporary table leads on commit drop as
    select id, row_number() over (order by id) as no from hunter.leads;
create unique index on pg_temp.leads (no);
insert into hunter.merge_suggestions (id, lead_id, other_id, likeness, state)
select uuidv7(), leads.id, others.id, 80 + mod(leads.no, 20), case when mod(leads.no, 3) = 0 then 'open' else 'merged' end
from leads join leads others on others.no = leads.no + 1 where mod(leads.no, 20) = 0;

insert into sdr.senders (id, channel, name, person_name, address, active, sandbox, time_zone, opens, closes, weekdays,
    skip_holidays, daily_cap, ramp_start, ramp_step, health, version)
select cast(:sender as uuid), 'email', 'Medida', 'Ana', 'medida@somos.test', true, true, 'America/Sao_Paulo', '08:00',
    '20:00', '[0, 1, 2, 3, 4]', true, 40, 10, 5, 'ok', 1;
insert into sdr.outreach_campaigns (id, name, channel, sender_id, state, created_by, version)
select uuidv7(), 'Campanha ' || n, 'email', cast(:sender as uuid), 'running', pg_temp.seller(0), 1
from generate_series(1, 100) n;
create temporary table campaigns on commit drop as
    select id, row_number() over (order by id) as no from sdr.outreach_campaigns;
insert into sdr.enrolments (id, campaign_id, lead_id, state, step_no, version)
select uuidv7(pg_temp.ago(leads.no, 100000)), campaigns.id, leads.id, 'finished', 1, 1
from leads join campaigns on campaigns.no = 1 + mod(leads.no, 100);
insert into sdr.approvals (id, subject_type, subject_id, subject_version, subject_hash, state, requested_by, expires_at,
    decided_by, decided_at)
select uuidv7(pg_temp.ago(leads.no, 100000)), 'outreach_message', leads.id, 1, 'x', 'approved', 'agent', now(),
    pg_temp.seller(0), now()
from leads;
insert into sdr.outreach_messages (id, campaign_id, enrolment_id, step_no, lead_id, kind, channel, sender_id,
    to_address, state, text, author, approval_id, left_at, sent_at, version, zone, tokens_in, tokens_out, tries, sandbox)
select uuidv7(pg_temp.ago(leads.no, 100000)), enrolment.campaign_id, enrolment.id, 1, leads.id, 'first_contact', 'email',
    cast(:sender as uuid), 'pessoa@site.test', 'sent', 'Oi! Vamos conversar?', 'agent', approval.id, now(), now(), 1,
    'America/Sao_Paulo', 0, 0, 0, true
from leads join sdr.enrolments enrolment on enrolment.lead_id = leads.id
join sdr.approvals approval on approval.subject_id = leads.id;
insert into sdr.responses (id, channel, provider_message_id, received_at, from_address, text, state, lead_id, campaign_id,
    label, classified_by, version, pulled)
select uuidv7(pg_temp.ago(leads.no, 100000)), 'email', 'medida-' || leads.no, now(), 'pessoa@site.test', 'Obrigado', 'handled',
    leads.id, enrolment.campaign_id, 'interested', 'rule', 1, false
from leads join sdr.enrolments enrolment on enrolment.lead_id = leads.id where mod(leads.no, 4) = 0;
insert into sdr.suppressions (id, key, kind, reach, source)
select uuidv7(), 'medida-' || n, 'email', 'person', 'link' from generate_series(1, 20000) n;
