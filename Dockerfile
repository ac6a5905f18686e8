# The course on one CPU: docker build -t seeing-inside . && docker run --rm -p 127.0.0.1:8888:8888 seeing-inside
# Open the address that it prints. With -v labs:/course/build/student the students' copies stay between runs.
FROM python:3.11-slim

# As in the Makefile, which says why.
ENV MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2147483647 GOMP_SPINCOUNT=10000

WORKDIR /course
COPY pyproject.toml setup.py MANIFEST.in constraints.txt README.md LICENSE LICENSE-text ./
RUN pip install --no-cache-dir -c constraints.txt torch torchvision --extra-index-url https://download.pytorch.org/whl/cpu
COPY . .
RUN pip install --no-cache-dir -e . -c constraints.txt && python tools/student.py

RUN useradd --create-home student && chown -R student /course/build
USER student
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "build/student"]
