"""Video: a clip in, the matte or the cut-out as a clip out; what `animatte video` does.

Needs PyAV, which comes with the extra `video`.
"""
