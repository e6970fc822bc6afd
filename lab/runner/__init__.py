"""Run the notebooks unattended: parameters, kernels, execution, verdict, report."""
