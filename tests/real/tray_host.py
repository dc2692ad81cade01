#!/usr/bin/python3
"""A tray for tests: owns org.kde.StatusNotifierWatcher on the session bus and takes the items that come. Import it and
call `Tray()`; needs a running GLib main loop only for the watcher's own answers, which a thread of its own runs."""
import threading

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

WATCHER = "org.kde.StatusNotifierWatcher"
ITEM = "org.kde.StatusNotifierItem"
MENU = "com.canonical.dbusmenu"
XML = f"""<node><interface name="{WATCHER}">
  <method name="RegisterStatusNotifierItem"><arg type="s" direction="in"/></method>
  <method name="RegisterStatusNotifierHost"><arg type="s" direction="in"/></method>
  <property name="RegisteredStatusNotifierItems" type="as" access="read"/>
  <property name="IsStatusNotifierHostRegistered" type="b" access="read"/>
  <property name="ProtocolVersion" type="i" access="read"/>
  <signal name="StatusNotifierItemRegistered"><arg type="s"/></signal>
</interface></node>"""


class Tray:
    """What a panel does: the watcher, and a hand on the items in it."""

    def __init__(self):
        self.items = []
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.context = GLib.MainContext.new()
        self.loop = GLib.MainLoop.new(self.context, False)
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        if not ready.wait(10):
            raise SystemExit("the tray did not start")

    def _run(self, ready):
        self.context.push_thread_default()
        node = Gio.DBusNodeInfo.new_for_xml(XML)
        self.object = self.bus.register_object("/StatusNotifierWatcher", node.interfaces[0], self._call, self._get, None)
        self.owner = Gio.bus_own_name_on_connection(self.bus, WATCHER, Gio.BusNameOwnerFlags.NONE,
                                                    lambda *_: ready.set(), None)
        self.loop.run()

    def _call(self, _bus, sender, _path, _interface, method, arguments, answer):
        if method == "RegisterStatusNotifierItem":
            name = arguments.unpack()[0]
            self.items.append(sender if name.startswith("/") else name)
        answer.return_value(None)

    def _get(self, _bus, _sender, _path, _interface, name):
        return {"RegisteredStatusNotifierItems": GLib.Variant("as", self.items),
                "IsStatusNotifierHostRegistered": GLib.Variant("b", True),
                "ProtocolVersion": GLib.Variant("i", 0)}[name]

    def stop(self):
        """The panel is gone."""
        Gio.bus_unown_name(self.owner)
        self.bus.unregister_object(self.object)

    def ask(self, path, interface, method, arguments=None):
        return self.bus.call_sync(self.items[-1], path, interface, method, arguments, None, 0, 5000, None).unpack()

    def get(self, name):
        """A property of the newest item."""
        arguments = GLib.Variant("(ss)", (ITEM, name))
        return self.ask("/StatusNotifierItem", "org.freedesktop.DBus.Properties", "Get", arguments)[0]

    def click(self):
        self.ask("/StatusNotifierItem", ITEM, "Activate", GLib.Variant("(ii)", (0, 0)))

    def menu(self):
        """The menu's entries by their labels: id and whether checked."""
        arguments = GLib.Variant("(iias)", (0, -1, []))
        _, (_, _, children) = self.ask("/MenuBar", MENU, "GetLayout", arguments)
        return {properties["label"]: (number, properties.get("toggle-state") == 1)
                for number, properties, _ in children if "label" in properties}

    def choose(self, label):
        arguments = GLib.Variant("(isvu)", (self.menu()[label][0], "clicked", GLib.Variant("i", 0), 0))
        self.ask("/MenuBar", MENU, "Event", arguments)
