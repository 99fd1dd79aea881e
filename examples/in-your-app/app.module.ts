import { type DynamicModule, Module } from '@nestjs/common';
import { CarillonModule, type CarillonOptions } from 'carillon';
import { CustomerGuard, Customers } from './customers.js';
import { Orders } from './orders.js';
import { OrdersController } from './orders.controller.js';
import { ShopAuthorizer } from './shop.authorizer.js';

@Module({
  controllers: [OrdersController],
  providers: [Customers, CustomerGuard, Orders, ShopAuthorizer],
  exports: [ShopAuthorizer],
})
export class ShopModule {}

/** A shop that contains Carillon. */
@Module({})
export class AppModule {
  static forRoot(options: CarillonOptions): DynamicModule {
    const extensions = { imports: [ShopModule], authorizers: [ShopAuthorizer] };
    return { module: AppModule, imports: [ShopModule, CarillonModule.forRoot(options, extensions)] };
  }
}
