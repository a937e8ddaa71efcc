# Copyright (c) 2026, the container.schedulers authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service scheduler: carries out what deployments.py decides, and tells the service's events about it.

A service is looked at only when something that concerns it has changed (`mark`), so that many idle ones cost nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from moto.ecs.models import ecs_backends

from lab.aws.ecs import deployments, events
from lab.aws.ecs.agenda import Agenda
from lab.aws.ecs.deployments import Decision, TaskView
from lab.aws.ecs.resources import ContainerInstance, Deployment, Service, Task, needs_of, placement_of
from lab.aws.ecs.scheduler import WORDS, Host, Refusal, choose, meets
from lab.aws.ecs.targets import HEALTHY, Balancing, balanced, event_name
from lab.aws.ecs.tasks import Order, Tasks
from lab.aws.patching import AwsError
from lab.world import World

HEALTH_CHECK_SECONDS = 2.0
"""How often the tasks of a balanced service are looked at when nothing else happens."""
PATIENCE_SECONDS = 5.0
"""A running task is not stopped for a failing health check before this, whatever the grace period."""
REPEAT_SECONDS = 60.0
"""What could not be placed is tried again, and complained about again, after this long."""


class Services:
    """All services of the account."""

    def __init__(self, world: World, agenda: Agenda, tasks: Tasks, balancing: Balancing) -> None:
        self._world = world
        self._agenda = agenda
        self._tasks = tasks
        self._balancing = balancing
        self._marked: dict[Service, None] = {}
        self._waiting: dict[tuple[str, str], dict[Service, None]] = {}
        """Services with tasks that found no host, by region and cluster."""
        self._fresh: dict[Service, list[Task]] = {}
        """Tasks that have begun to run and are not registered yet."""
        self._ending: dict[Service, list[Task]] = {}
        """Tasks that have just been sent their signal."""
        self._chance = random.Random(0)
        tasks.on_running.append(self._task_runs)
        tasks.on_stopping.append(self._task_stops)
        tasks.on_stopped.append(self._task_stopped)

    def clear(self) -> None:
        for state in (self._marked, self._waiting, self._fresh, self._ending):
            state.clear()

    def mark(self, service: Service) -> None:
        """Something about the service has changed: look at it in the next step."""
        self._marked[service] = None

    def mark_waiting(self, region: str, cluster: str) -> None:
        """There is new room in the cluster."""
        for service in self._waiting.pop((region, cluster), {}):
            self.mark(service)

    def mark_cluster(self, region: str, cluster: str) -> None:
        """The cluster's hosts have changed: that is for those who wait for one, and for daemons."""
        self.mark_waiting(region, cluster)
        for service in ecs_backends[self._world.account][region].services.values():
            if service.cluster_name == cluster and service.scheduling_strategy == "DAEMON":
                self.mark(service)

    def step(self) -> None:
        marked, self._marked = self._marked, {}
        for service in marked:
            self._look_at(service)

    def add(self, service: Service, definition: Any) -> None:
        self.deploy(service, definition)
        if balanced(service):
            self._agenda.after(HEALTH_CHECK_SECONDS, lambda: self._check_later(service))

    def deploy(self, service: Service, definition: Any) -> Deployment:
        """Begin to roll out the service as it is described now, with tasks of this definition."""
        now = self._world.clock.utc()
        for deployment in service.deployments:
            deployment.status = "ACTIVE"
            deployment.updated_at = now
        deployment = Deployment(
            id=f"ecs-svc/{self._chance.randrange(10**18, 10**19)}",
            task_definition=definition.arn,
            definition=definition,
            created_at=now,
            updated_at=now,
            desired_count=service.desired_count,
            launch_type=service.launch_type,
            capacity_provider_strategy=service.capacity_provider_strategy,
            network_configuration=service.network_configuration,
            behind_classic=any(entry.get("loadBalancerName") for entry in service.load_balancers),
        )
        service.deployments.insert(0, deployment)
        service.history.append(deployment)
        service.steady = False
        service.failures, service.retry_at = 0, 0.0
        service.complaints.clear()
        self.mark(service)
        return deployment

    def scale(self, service: Service, desired: int) -> None:
        service.desired_count = desired
        service.primary.desired_count = desired
        service.primary.updated_at = self._world.clock.utc()
        service.steady = False
        service.complaints.clear()
        self.mark(service)

    def delete(self, service: Service) -> None:
        """All tasks go; the service is INACTIVE when the last one has."""
        service.status = "DRAINING"
        self.scale(service, 0)
        for task in service.live_tasks:
            self._stop(task)
        self._finish_delete(service)

    def hosts(self, service: Service) -> list[ContainerInstance]:
        """The container instances on which the service may place tasks."""
        backend = ecs_backends[self._world.account][service.region_name]
        known = backend.container_instances.get(service.cluster_name, {}).values()
        providers = {item["capacityProvider"] for item in service.capacity_provider_strategy}
        return [
            host for host in known if host.takes_tasks and (not providers or host.capacity_provider_name in providers)
        ]

    # What tasks tell

    def _task_runs(self, task: Task) -> None:
        if task.service is not None:
            if not balanced(task.service):
                self._count_success(task.service, task)
            self._fresh.setdefault(task.service, []).append(task)
            self.mark(task.service)

    def _task_stops(self, task: Task) -> None:
        if task.service is not None:
            self._ending.setdefault(task.service, []).append(task)
            self.mark(task.service)

    def _task_stopped(self, task: Task, failed: bool) -> None:
        service = task.service
        self.mark_waiting(task.region_name, task.cluster_name)
        if service is None:
            return
        service.own_tasks.pop(task.id, None)
        service.steady = False
        if failed and service.status == "ACTIVE":
            self._count_failure(service, _deployment(task))
        self._finish_delete(service)
        self.mark(service)

    def _count_success(self, service: Service, task: Task) -> None:
        """A task came up: the deployment's failures are none, and are counted no more."""
        if task.started_by == service.primary.id:
            service.failures, service.retry_at, service.primary.failed_tasks = 0, 0.0, 0
            service.primary.came_up = True

    def _count_failure(self, service: Service, deployment: Deployment) -> None:
        deployment.failed_tasks += not deployment.came_up
        deployment.updated_at = self._world.clock.utc()
        service.failures += 1
        threshold = deployments.breaker_threshold(service.desired_count)
        breaker = service.deployment_configuration["deploymentCircuitBreaker"]
        running_out = deployment is service.primary and deployment.progress == "IN_PROGRESS"
        if breaker["enable"] and running_out and deployment.failed_tasks >= threshold:
            self._fail(service, deployment, breaker["rollback"])
            return
        delay = deployments.delay_before_retry(service.failures, threshold)
        if delay:
            self._complain(service, events.cannot_start())
            service.retry_at = self._world.clock.now() + delay
            self._agenda.after(delay, lambda: self.mark(service))

    def _fail(self, service: Service, deployment: Deployment, rollback: bool) -> None:
        now = self._world.clock.utc()
        deployment.progress, deployment.updated_at, deployment.finished_at = "FAILED", now, now
        deployment.rollout_state_reason = "ECS deployment circuit breaker: tasks failed to start."
        service.say(events.deployment_failed(deployment.id), now)
        good = next((d for d in reversed(service.history) if d.progress == "COMPLETED"), None)
        for task in service.live_tasks:
            if not task.running and task.started_by == deployment.id:
                self._stop(task)
        if rollback and good is not None:
            service.say(events.rolling_back(good.id), now)
            service.task_definition = good.task_definition
            new = self.deploy(service, good.definition)
            new.rollback_of = deployment.id
            new.rollout_state_reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}."

    # One look at one service

    def _look_at(self, service: Service) -> None:
        if service.status == "INACTIVE" or not service.deployments:
            return
        self._report_stops(service)
        self._register(service)
        if service.status == "ACTIVE":
            self._check_targets(service)
            self._move(service)
        self._count(service)
        self._settle(service)

    def _move(self, service: Service) -> None:
        decision = self._decide(service)
        for task_id in decision.stop:
            self._stop(service.own_tasks[task_id])
        if decision.start and self._world.clock.now() >= service.retry_at:
            self._start(service, decision.start)
        if decision.stuck:
            self._complain(service, events.stuck())

    def _decide(self, service: Service) -> Decision:
        views = [_view(task) for task in service.live_tasks]
        failed = service.primary.progress == "FAILED"
        if service.scheduling_strategy != "DAEMON":
            return deployments.decide(service.rules, service.primary.id, views, failed)
        hosts = [instance.id for instance in self._daemon_hosts(service)]
        if service.desired_count != len(hosts):
            self.scale(service, len(hosts))
        return deployments.decide_daemon(service.primary.id, hosts, views, failed)

    def _daemon_hosts(self, service: Service) -> list[ContainerInstance]:
        definition = service.primary.definition
        placement = placement_of(definition, service.placement_constraints, ())
        return [
            instance for instance in self.hosts(service) if meets(instance.host, service.group, placement.constraints)
        ]

    def _start(self, service: Service, count: int) -> None:
        backend = ecs_backends[self._world.account][service.region_name]
        definition = service.primary.definition
        instances = {instance.id: instance for instance in self.hosts(service)}
        started: list[str] = []
        for _unused in range(count):
            found = self._find_host(service, definition, instances)
            if isinstance(found, Refusal):
                self._not_placed(service, found)
                break
            order = Order(
                group=service.group,
                started_by=service.primary.id,
                tags=_task_tags(service, definition),
                service=service,
                launch_type=service.launch_type,
                enable_execute_command=service.enable_execute_command,
            )
            task = self._tasks.create(backend, definition, instances[found.id], order)
            service.own_tasks[task.id] = task
            started.append(task.id)
        if started:
            service.say(events.started(started), self._world.clock.utc())

    def _find_host(
        self, service: Service, definition: Any, instances: Mapping[str, ContainerInstance]
    ) -> Host | Refusal:
        hosts: Iterable[Host] = [instance.host for instance in instances.values()]
        if service.scheduling_strategy == "DAEMON":
            occupied = {task.host_instance.id for task in service.live_tasks}
            hosts = [host for host in hosts if host.id not in occupied]
        placement = placement_of(definition, service.placement_constraints, service.placement_strategy)
        return choose(needs_of(definition), hosts, service.group, placement, self._chance)

    def _not_placed(self, service: Service, refusal: Refusal) -> None:
        self._waiting.setdefault((service.region_name, service.cluster_name), {})[service] = None
        if refusal.host is not None:
            self._complain(service, events.closest(refusal.host, WORDS[refusal.why]))
        elif service.capacity_provider_strategy:
            self._complain(service, events.no_capacity_in_provider())
        else:
            self._complain(service, events.no_hosts())

    def _stop(self, task: Task) -> None:
        reason = f"Scaling activity initiated by (deployment {task.started_by})"
        self._tasks.stop(task, reason, "ServiceSchedulerInitiated")

    def _register(self, service: Service) -> None:
        """Put tasks that have begun to run behind the service's load balancers."""
        counts: dict[str, int] = {}
        for task in [task for task in self._fresh.pop(service, []) if task.running]:
            try:
                names = self._balancing.attach(task)
            except AwsError as error:
                names = []
                self._complain(service, events.not_registered(f"{error.code}: {error.message}"))
            for name in names:
                counts[name] = counts.get(name, 0) + 1
        for name, count in counts.items():
            service.say(events.registered(count, name), self._world.clock.utc())

    def drain(self, task: Task) -> float:
        """Take a stopping task out of its load balancers; seconds until its connections have ended."""
        service = task.service
        if service is None or not balanced(service) or task.last_status != "RUNNING":
            return 0.0
        seconds = self._balancing.drain_seconds(task)
        names = self._balancing.detach(task, self._still_used)
        now = self._world.clock.utc()
        if names:
            service.say(events.draining(1), now, extra=f", taskSet {task.started_by}")
        for name in names:
            service.say(events.deregistered(1, name), now)
        return seconds if names else 0.0

    def _still_used(self, task: Task, entry: Mapping[str, Any]) -> bool:
        """Does another task on the same host stand behind the same classic load balancer?"""
        name = entry["loadBalancerName"]
        return any(
            other is not task
            and other.running
            and other.service is not None
            and any(used.get("loadBalancerName") == name for used in other.service.load_balancers)
            for other in task.host_instance.tasks_here.values()
        )

    def _report_stops(self, service: Service) -> None:
        ended = [task.id for task in self._ending.pop(service, [])]
        if ended:
            service.say(events.stopped(ended), self._world.clock.utc())

    # Health behind load balancers

    def _check_later(self, service: Service) -> None:
        if service.status == "ACTIVE":
            self.mark(service)
            self._agenda.after(HEALTH_CHECK_SECONDS, lambda: self._check_later(service))

    def _check_targets(self, service: Service) -> None:
        if not balanced(service):
            return
        for task in [task for task in service.live_tasks if task.running]:
            self._check_task(service, task)

    def _check_task(self, service: Service, task: Task) -> None:
        bad = [found for found in self._balancing.check(task) if found[2].state != HEALTHY]
        task.unhealthy_target = bad[0][2].description or bad[0][2].state if bad else None
        if not bad:
            self._count_success(service, task)
            return
        grace = max(PATIENCE_SECONDS, service.health_check_grace_period_seconds or 0)
        if not bad[0][2].is_final or self._world.clock.now() - task.running_since < grace:
            return
        entry, port, verdict = bad[0]
        name = event_name(entry)
        reason = verdict.description or "Health checks failed"
        sentence = events.unhealthy(task.host_instance.ec2_instance_id, port, name, reason)
        service.say(sentence, self._world.clock.utc())
        deployment = _deployment(task)
        self._tasks.stop(task, f"Task failed ELB health checks in ({name})", "ServiceSchedulerInitiated")
        self._count_failure(service, deployment)

    # Counts, completion

    def _count(self, service: Service) -> None:
        for deployment in service.deployments:
            mine = [task for task in service.own_tasks.values() if task.started_by == deployment.id]
            deployment.running_count = sum(task.running for task in mine)
            deployment.pending_count = sum(task.starting for task in mine)
        still = {task.started_by for task in service.own_tasks.values()}
        kept = service.deployments[:1] + [d for d in service.deployments[1:] if d.id in still]
        for gone in set(service.deployments) - set(kept):
            gone.status = "INACTIVE"
        service.deployments = kept
        for deployment in kept[1:]:
            deployment.desired_count = deployment.running_count + deployment.pending_count

    def _settle(self, service: Service) -> None:
        """Steady state, and with it the end of a deployment."""
        views = [_view(task) for task in service.live_tasks]
        stopping = len(service.own_tasks) - len(views)
        deployment = service.primary
        if service.status != "ACTIVE" or deployment.progress == "FAILED":
            return
        steady = deployments.is_steady(service.desired_count, deployment.id, views, stopping)
        if steady and not service.steady:
            now = self._world.clock.utc()
            if deployment.progress == "IN_PROGRESS":
                deployment.progress, deployment.updated_at, deployment.finished_at = "COMPLETED", now, now
                deployment.rollout_state_reason = f"ECS deployment {deployment.id} completed."
                service.say(events.deployment_completed(deployment.id), now)
            service.say(events.steady(), now)
            service.complaints.clear()
        service.steady = steady

    def _finish_delete(self, service: Service) -> None:
        if service.status == "DRAINING" and not service.own_tasks:
            service.status = "INACTIVE"
            service.deployments = []

    def _complain(self, service: Service, sentence: str) -> None:
        now = self._world.clock.now()
        last = service.complaints.get(sentence)
        if last is None or now - last >= REPEAT_SECONDS:
            service.complaints[sentence] = now
            service.say(sentence, self._world.clock.utc())
            self._agenda.after(REPEAT_SECONDS, lambda: self.mark(service))


def _deployment(task: Task) -> Deployment:
    assert task.service is not None
    return next(d for d in task.service.history if d.id == task.started_by)


def _view(task: Task) -> TaskView:
    return TaskView(
        id=task.id,
        deployment=task.started_by,
        running=task.running,
        healthy=task.health_status != "UNHEALTHY" and task.unhealthy_target is None,
        host=task.host_instance.id,
        zone=task.host_instance.host.zone,
        evicted=task.host_instance.status == "DRAINING",
    )


def _task_tags(service: Service, definition: Any) -> list[dict[str, str]]:
    """What propagateTags and enableECSManagedTags put on a task."""
    source = {"SERVICE": service.tags, "TASK_DEFINITION": definition.tags}.get(service.propagate_tags, [])
    managed = {"aws:ecs:clusterName": service.cluster_name, "aws:ecs:serviceName": service.name}
    added = [{"key": key, "value": value} for key, value in managed.items()] if service.enable_ecs_managed_tags else []
    return [*source, *added]
