"""The end-to-end suites: one promise a file, asked of a real lab through the fixtures of the root conftest.py.

session     one lab for all processes of a test session       workload   a Deployment and its policy, as tests ask for them
steps       what `up` did, as cases of the JUnit report       faults     what tests break, and the proof that it is whole again
own         a lab of a test's own                             traffic    who writes and reads meanwhile, and the law that must hold
"""
