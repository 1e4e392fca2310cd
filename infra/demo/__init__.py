"""The demonstration: the whole of Groundswell without a person. A crowd talks and pledges, a launch goes out, a worker is
killed during its hold, and what arrived at the stand-in networks is compared with what was pledged."""
