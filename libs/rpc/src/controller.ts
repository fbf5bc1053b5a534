import { Injectable } from '@nestjs/common';
import type { ServiceDefinition } from './definition.js';

const DEFINITIONS = new WeakMap<object, ServiceDefinition>();

/** A class that answers the RPCs of one service: a Nest provider with one method per RPC. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the shape that every constructor fits
export type ControllerClass = new (...dependencies: any[]) => object;

/** Marks a class as the controller of a service; its methods bear the names of the RPCs. */
export function RpcController(definition: ServiceDefinition): (target: ControllerClass) => void {
  return (target) => {
    DEFINITIONS.set(target, definition);
    Injectable()(target);
  };
}

/** The service that a controller answers. */
export function definitionOf(controller: ControllerClass): ServiceDefinition {
  const definition = DEFINITIONS.get(controller);
  if (!definition) throw new Error(`${controller.name} lacks @RpcController.`);
  return definition;
}
