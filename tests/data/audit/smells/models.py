"""Models, for what is asked row by row."""
from django.db import models
from sqlalchemy import Column, ForeignKey, String
from sqlalchemy.orm import relationship

from . import db


class Base(models.Model):
    owner = models.ForeignKey("Person", on_delete=models.CASCADE)

    class Meta:
        abstract = True


class Person(models.Model):
    name = models.CharField(max_length=80)


class Order(Base):
    customer = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="orders")
    number = models.CharField(max_length=20)


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE)


class Basket(db.Model):
    owner = Column(String(80))
    fruits = relationship("Fruit", backref="basket")
    leaves = relationship("Leaf", lazy="selectin")


class Fruit(db.Model):
    basket_id = Column(ForeignKey("basket.id"))


class Fat(Base):  # expect: fat-model
    def one(self):
        return 1

    def two(self):
        return 2

    def three(self):
        return 3

    def four(self):
        return 4
